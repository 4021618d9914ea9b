"""pymerkle judges a served log: from its entries it builds the trees of two signed checkpoints, proves one event included
in the newer, and the newer grown out of the older.

In the folder: `key`, `older` (a checkpoint), `proof.json` (the server's answer about an event, with the newer checkpoint)
and the entry bundles of the newer size. The event's id is the second argument.
"""

import base64
import json
import pathlib
import sys

import pymerkle
from assent_hand import open_checkpoint, read_entries, read_keys

folder = pathlib.Path(sys.argv[1])
keys = read_keys((folder / "key").read_text())
proof = json.loads((folder / "proof.json").read_text())
origin, old, old_root, _ = open_checkpoint((folder / "older").read_text(), keys)
same, new, new_root, _ = open_checkpoint(proof["checkpoint"], keys)
assert origin == same and 0 < old < new, (origin, old, same, new)

entries = read_entries(folder, new)
tree = pymerkle.InmemoryTree(algorithm="sha256")
for entry in entries:
    tree.append_entry(entry)
assert tree.get_root(old) == old_root, f"the root of the checkpoint of size {old} is another"
assert tree.get_root(new) == new_root, f"the root of the checkpoint of size {new} is another"

index = proof["index"]
assert base64.b64decode(proof["leaf"]) == entries[index], "the server shows another leaf than its log has"
assert json.loads(entries[index])["id"] == sys.argv[2], "another event stands there"
theirs = tree.prove_inclusion(index + 1, new)
assert [digest.hex() for digest in theirs.path[1:]] == proof["inclusion"], "the server's proof is another"
leaf = tree.get_leaf(index + 1)
pymerkle.verify_inclusion(leaf, new_root, theirs)
grown = tree.prove_consistency(old, new)
pymerkle.verify_consistency(old_root, new_root, grown)


def refuses(check, *arguments):
    try:
        check(*arguments)
    except pymerkle.InvalidProof:
        return True
    return False


# A judge that says yes to everything judges nothing.
assert refuses(pymerkle.verify_inclusion, leaf, old_root, theirs)
assert refuses(pymerkle.verify_inclusion, tree.get_leaf(index), new_root, theirs)
assert refuses(pymerkle.verify_consistency, new_root, old_root, grown)
print(f"good: {new} entries of {origin}, grown from {old}")
