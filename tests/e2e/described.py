import json
import sys

from jsonschema import Draft202012Validator

told = json.load(sys.stdin)
document = told["document"]
validators = {}
found = set()
for answer in told["answers"]:
    place = answer["method"].upper() + " " + answer["route"] + " " + str(answer["status"])
    responses = document["paths"][answer["route"]][answer["method"]]["responses"]
    response = responses.get(str(answer["status"]))
    if response is None:
        found.add(place + ": no such status is described")
        continue
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    content = response.get("content", {})
    kind = content.get("application/json") or content.get("application/problem+json")
    if kind is None:
        continue
    key = json.dumps(kind["schema"])
    if key not in validators:
        validators[key] = Draft202012Validator({"components": document["components"], **kind["schema"]})
    for error in validators[key].iter_errors(answer["body"]):
        where = "/".join("*" if isinstance(part, int) else str(part) for part in error.absolute_path)
        found.add(place + " " + where + ": " + error.message[:300])
json.dump(sorted(found), sys.stdout)
