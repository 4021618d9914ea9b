"""Checks a bundle by hand, step by step as the README inside it tells, without Assent."""

import base64
import hashlib
import json
import pathlib
import sys
import zipfile

from assent_hand import included, leaf_hash, open_checkpoint, open_note, read_keys

archive = zipfile.ZipFile(pathlib.Path(sys.argv[1]) / "bundle.zip")
assert archive.testzip() is None
files = {name: archive.read(name) for name in archive.namelist()}


def canonical(value):
    """RFC 8785 for strings, integers and booleans: sorted by UTF-16, no spaces."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


# 1. The list of files is what the log signed.
keys = read_keys(files["key"].decode())
origin, size, root, _ = open_checkpoint(files["checkpoint"].decode(), keys)
statement, _ = open_note(files["bundle.sig"].decode(), keys)
assert statement == f"assent-bundle/v1\n{origin}\n{digest(files['bundle.json'])}\n"

# 2. The files are complete and unchanged.
manifest = json.loads(files["bundle.json"])
assert {entry["name"] for entry in manifest["files"]} == set(files) - {"bundle.json", "bundle.sig"}
for entry in manifest["files"]:
    content = files[entry["name"]]
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (entry["sha256"], entry["bytes"])

# 3. Each event was in the log.
proofs = json.loads(files["proofs.json"])
assert (proofs["size"], proofs["root"]) == (size, root.hex())
events = []
for proof in proofs["proofs"]:
    leaf = files[f"events/{proof['index']}.json"]
    hashes = [bytes.fromhex(hash) for hash in proof["hashes"]]
    assert included(leaf_hash(leaf), proof["index"], size, hashes, root), proof["index"]
    assert canonical(json.loads(leaf)).encode() == leaf
    events.append(json.loads(leaf))

# 4. The events add up to the records.
records = {}
for event in events:
    deltas = event.get("records", [])
    if "records_digest" in event:
        payload = files["records/" + event["records_digest"].removeprefix("sha256:")]
        assert digest(payload) == event["records_digest"]
        deltas = json.loads(payload)
    for delta in deltas:
        version, record = records.get((delta["table"], delta["id"]), (0, {}))
        assert delta["version"] == version + 1
        record = {name: value for name, value in record.items() if name not in delta["unset"]} | delta["set"]
        assert digest(canonical(record).encode()) == delta["digest"]
        records[(delta["table"], delta["id"])] = (delta["version"], record)

# 5. The texts are those that were committed to.
salts = json.loads(files["salts.json"])["salts"]


def plain(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def opens(sealed, body):
    if isinstance(sealed, dict) and list(sealed) == ["c"]:
        if body == {"erased": True}:
            return sealed["c"] not in salts
        return hashlib.sha256(b"\x02" + plain(salts[sealed["c"]]) + body.encode()).digest() == plain(sealed["c"])
    if isinstance(sealed, dict):
        return sealed.keys() == body.keys() and all(opens(sealed[name], body[name]) for name in sealed)
    if isinstance(sealed, list):
        return len(sealed) == len(body) and all(map(opens, sealed, body))
    return sealed == body


for record in json.loads(files["record.json"])["records"]:
    assert records[(record["table"], record["id"])] == (record["version"], record["sealed"])
    assert opens(record["sealed"], record["body"]), record["id"]

# 6. The evidence is unchanged.
for name in files:
    if name.startswith("evidence/"):
        assert hashlib.sha256(files[name]).hexdigest() == name.removeprefix("evidence/")
print(f"good: {len(events)} events, {len(records)} records")
