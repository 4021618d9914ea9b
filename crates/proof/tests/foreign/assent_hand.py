"""What a person needs to check Assent's proofs by hand: hashing, notes and proofs in plain Python.

Written from RFC 9162 and the C2SP specifications, without a look at Assent's own code paths.
"""

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(leaf):
    return sha256(b"\x00" + leaf)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def tree_root(hashes):
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node_hash(tree_root(hashes[:k]), tree_root(hashes[k:]))


def included(leaf, index, size, proof, root):
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def read_keys(text):
    """{(name, id): (type, public key)} of verifier keys, one a line."""
    keys = {}
    for line in text.splitlines():
        name, hex_id, blob = line.split("+", 2)
        blob = base64.b64decode(blob, validate=True)
        key_id = sha256(name.encode() + b"\n" + blob)[:4]
        assert key_id.hex() == hex_id, "a key id does not belong to its key"
        keys[(name, key_id)] = (blob[0], Ed25519PublicKey.from_public_bytes(blob[1:]))
    return keys


def open_note(note, keys):
    """The text of a signed note and the names of those who signed it (with a time, or None)."""
    text, lines = note.rsplit("\n\n", 1)
    text += "\n"
    signed = []
    for line in lines.splitlines():
        dash, name, signature = line.split(" ")
        assert dash == "\u2014"
        signature = base64.b64decode(signature, validate=True)
        if (name, signature[:4]) not in keys:
            continue
        kind, key = keys[(name, signature[:4])]
        message, time = text, None
        rest = signature[4:]
        if kind == 4:
            time = int.from_bytes(rest[:8], "big")
            message, rest = f"cosignature/v1\ntime {time}\n{text}", rest[8:]
        key.verify(rest, message.encode())
        signed.append((name, time))
    if not signed:
        raise InvalidSignature("no known key signed the note")
    return text, signed


def open_checkpoint(note, keys):
    text, signed = open_note(note, keys)
    origin, size, root = text.splitlines()[:3]
    assert (origin, None) in signed, "the log did not sign its checkpoint"
    return origin, int(size), base64.b64decode(root), signed


def consistent(old, new, proof, old_root, new_root):
    """RFC 9162 section 2.1.4.2, for 0 < old < new."""
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root


def tile_path(kind, index, width):
    elements = []
    while True:
        elements.insert(0, f"{'x' if elements else ''}{index % 1000:03}")
        index //= 1000
        if index == 0:
            break
    return "/".join(["tile", kind, *elements]) + ("" if width == 256 else f".p/{width}")


def read_tile(folder, kind, index, count):
    """The bytes of a tile in a folder, and how many hashes or entries it has when the level has `count`."""
    width = min(256, count - index * 256)
    return (folder / tile_path(kind, index, width)).read_bytes(), width


def read_entries(folder, size):
    """The entries of a log that lies in a folder, in their order."""
    entries = []
    for index in range(-(-size // 256)):
        data, width = read_tile(folder, "entries", index, size)
        for _ in range(width):
            length = int.from_bytes(data[:2], "big")
            entries.append(data[2 : 2 + length])
            data = data[2 + length :]
        assert not data, "bytes are left in an entry bundle"
    return entries
