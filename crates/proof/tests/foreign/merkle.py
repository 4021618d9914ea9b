"""pymerkle builds the same tree; its roots and inclusion proofs must be ours.

Its consistency proofs cut the tree more finely than RFC 9162 where the old tree is a complete left
subtree, so ours are verified with RFC 9162's own algorithm against pymerkle's roots.
"""

import json
import pathlib
import sys

import pymerkle
from assent_hand import consistent, included

log = json.loads((pathlib.Path(sys.argv[1]) / "log.json").read_text())
tree = pymerkle.InmemoryTree(algorithm="sha256")
for leaf in log["leaves"]:
    tree.append_entry(bytes.fromhex(leaf))
roots = [tree.get_root(size) for size in range(len(log["leaves"]) + 1)]
assert [root.hex() for root in roots[1:]] == log["roots"]

assert log["inclusion"] and log["consistency"]
for ours in log["inclusion"]:
    index, size = ours["index"], ours["size"]
    theirs = tree.prove_inclusion(index + 1, size)
    leaf, *hashes = [bytes(digest) for digest in theirs.path]
    assert [digest.hex() for digest in hashes] == ours["hashes"], ours
    pymerkle.verify_inclusion(tree.get_leaf(index + 1), roots[size], theirs)
    assert included(leaf, index, size, hashes, roots[size])
for ours in log["consistency"]:
    old, new = ours["old"], ours["new"]
    hashes = [bytes.fromhex(digest) for digest in ours["hashes"]]
    assert consistent(old, new, hashes, roots[old], roots[new]), ours
    assert not consistent(old, new, hashes, roots[new], roots[old]), ours
print("good")
