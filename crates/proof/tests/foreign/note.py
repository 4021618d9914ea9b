"""Verifies a signed and cosigned checkpoint, and makes one."""

import base64
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent_hand import open_checkpoint, read_keys, sha256

folder = pathlib.Path(sys.argv[1])
note = (folder / "checkpoint").read_text()
keys = read_keys((folder / "key").read_text())
origin, size, root, signed = open_checkpoint(note, keys)
assert origin == "assent.example/t/acme/log" and len(root) == 32 and size == 12, (origin, size)
assert ("witness.example/w", 1_800_000_000) in signed, signed
try:
    open_checkpoint(note.replace(f"\n{size}\n", f"\n{size + 1}\n"), keys)
    sys.exit("a changed checkpoint was accepted")
except Exception as error:
    assert type(error).__name__ == "InvalidSignature", error

private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex((folder / "seed.hex").read_text()))
public = private.public_key().public_bytes_raw()
text = f"python.example/log\n5\n{base64.b64encode(sha256(b'root')).decode()}\n"


def line(name, kind, signature):
    key_id = sha256(name.encode() + b"\n" + bytes([kind]) + public)[:4]
    verifier = f"{name}+{key_id.hex()}+{base64.b64encode(bytes([kind]) + public).decode()}\n"
    return f"\u2014 {name} {base64.b64encode(key_id + signature).decode()}\n", verifier


log, log_key = line("python.example/log", 1, private.sign(text.encode()))
time = 1_800_000_001
cosignature = time.to_bytes(8, "big") + private.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
witness, witness_key = line("python.example/witness", 4, cosignature)
(folder / "theirs").write_text(text + "\n" + log + witness)
(folder / "theirs.key").write_text(log_key + witness_key)
print("good")
