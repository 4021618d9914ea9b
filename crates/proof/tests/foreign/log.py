"""Verifies a log in a folder from its checkpoint, entry bundles and tiles."""

import pathlib
import sys

from assent_hand import leaf_hash, open_checkpoint, read_entries, read_keys, read_tile, tree_root

folder = pathlib.Path(sys.argv[1])
keys = read_keys((folder / "key").read_text())
origin, size, root, _ = open_checkpoint((folder / "checkpoint").read_text(), keys)

leaves = [leaf_hash(entry) for entry in read_entries(folder, size)]
assert tree_root(leaves) == root

level, hashes = 0, leaves
while hashes:
    for index in range(-(-len(hashes) // 256)):
        data, width = read_tile(folder, str(level), index, len(hashes))
        assert data == b"".join(hashes[index * 256 : index * 256 + width]), (level, index)
    full = len(hashes) // 256
    hashes = [tree_root(hashes[index * 256 : index * 256 + 256]) for index in range(full)]
    level += 1
print(f"good: {size} entries of {origin}")
