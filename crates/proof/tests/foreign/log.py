"""Verifies a log in a folder from its checkpoint, entry bundles and tiles."""

import pathlib
import sys

from assent_hand import leaf_hash, open_checkpoint, read_keys, tree_root

folder = pathlib.Path(sys.argv[1])
keys = read_keys((folder / "key").read_text())
origin, size, root, _ = open_checkpoint((folder / "checkpoint").read_text(), keys)


def tile_path(kind, index, width):
    elements = []
    while True:
        elements.insert(0, f"{'x' if elements else ''}{index % 1000:03}")
        index //= 1000
        if index == 0:
            break
    return "/".join(["tile", kind, *elements]) + ("" if width == 256 else f".p/{width}")


def tile(kind, index, count):
    width = min(256, count - index * 256)
    return (folder / tile_path(kind, index, width)).read_bytes(), width


leaves = []
for index in range(-(-size // 256)):
    data, width = tile("entries", index, size)
    for _ in range(width):
        length = int.from_bytes(data[:2], "big")
        leaves.append(leaf_hash(data[2 : 2 + length]))
        data = data[2 + length :]
    assert not data, "bytes are left in an entry bundle"
assert tree_root(leaves) == root

level, hashes = 0, leaves
while hashes:
    for index in range(-(-len(hashes) // 256)):
        data, width = tile(str(level), index, len(hashes))
        assert data == b"".join(hashes[index * 256 : index * 256 + width]), (level, index)
    full = len(hashes) // 256
    hashes = [tree_root(hashes[index * 256 : index * 256 + 256]) for index in range(full)]
    level += 1
print(f"good: {size} entries of {origin}")
