"""Writes values as RFC 8785 asks and compares with what Assent wrote."""

import json
import pathlib
import sys


def canonical(value):
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


folder = pathlib.Path(sys.argv[1])
values = json.loads((folder / "values.json").read_text("utf-8"))
texts = json.loads((folder / "texts.json").read_text("utf-8"))
assert len(values) == len(texts) > 0
for value, text in zip(values, texts):
    assert canonical(value) == text, (canonical(value), text)
print("good")
