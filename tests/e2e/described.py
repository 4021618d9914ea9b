import json
import sys

from jsonschema import Draft202012Validator

told = json.load(sys.stdin)
document = told["document"]
schemas = document["components"]["schemas"]


def parts(schema):
    """The schema and all that it is made of."""
    if "$ref" in schema:
        yield from parts(schemas[schema["$ref"].rsplit("/", 1)[1]])
    for base in schema.get("allOf", []):
        yield from parts(base)
    yield schema


def unnamed(schema, value, where):
    """The places of fields that no part of their object's schema names; an object without named fields may hold any."""
    whole = list(parts(schema))
    if isinstance(value, dict):
        named = {}
        for part in whole:
            named.update(part.get("properties", {}))
        if not named:
            return
        for name, inner in value.items():
            if name in named:
                yield from unnamed(named[name], inner, where + [name])
            elif not any("additionalProperties" in part for part in whole):
                yield "/".join(where + [name])
    elif isinstance(value, list):
        for part in whole:
            for inner in value if "items" in part else []:
                yield from unnamed(part["items"], inner, where + ["*"])


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
    for where in unnamed(kind["schema"], answer["body"], []):
        found.add(place + " " + where + ": the description does not name this field")
json.dump(sorted(found), sys.stdout)
