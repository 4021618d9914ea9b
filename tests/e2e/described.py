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


def validator(schema):
    key = json.dumps(schema)
    if key not in validators:
        validators[key] = Draft202012Validator({"components": document["components"], **schema})
    return validators[key]


def judge(place, schema, body):
    """Notes all that is not as the schema says."""
    for error in validator(schema).iter_errors(body):
        where = "/".join("*" if isinstance(part, int) else str(part) for part in error.absolute_path)
        found.add(place + " " + where + ": " + error.message[:300])
    for where in unnamed(schema, body, []):
        found.add(place + " " + where + ": the description does not name this field")


def route_of(path):
    """The route that a path is of; one that names a part beats one that leaves it open."""
    asked = path.split("/")
    matching = []
    for route in document["paths"]:
        named = route.split("/")
        if len(named) == len(asked) and all(a == b or a.startswith("{") for a, b in zip(named, asked)):
            matching.append(route)
    return min(matching, key=lambda route: route.count("{"), default=None)


validators = {}
found = set()
for taken in told["taken"]:
    # An empty object says no more than no body does.
    if taken["body"] == {}:
        continue
    route = route_of(taken["path"])
    place = taken["method"].upper() + " " + (route or taken["path"]) + " takes"
    if route is None:
        found.add(place + ": no such route is described")
        continue
    content = document["paths"][route][taken["method"]].get("requestBody", {}).get("content", {})
    kind = content.get("application/json")
    if kind is None:
        found.add(place + ": no body is described")
        continue
    judge(place, kind["schema"], taken["body"])
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
    judge(place, kind["schema"], answer["body"])
json.dump(sorted(found), sys.stdout)
