"""PyJWT verifies a permit and a revocation list by the published key set, and signs one itself."""

import json
import pathlib
import sys

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

folder = pathlib.Path(sys.argv[1])
jwks = json.loads((folder / "jwks.json").read_text())
keys = jwt.PyJWKSet.from_dict(jwks)
AUDIENCE = "acme/payments/production"


def open_token(name, typ):
    token = (folder / name).read_text()
    header = jwt.get_unverified_header(token)
    assert header["typ"] == typ and header["alg"] == "EdDSA", header
    options = {"require": ["exp"]} if typ == "assent-permit+jwt" else {"verify_aud": False}
    audience = AUDIENCE if typ == "assent-permit+jwt" else None
    return jwt.decode(token, keys[header["kid"]], algorithms=["EdDSA"], audience=audience, options=options)


claims = open_token("permit.jwt", "assent-permit+jwt")
assert claims == json.loads((folder / "claims.json").read_text()), claims
assert open_token("list.jwt", "assent-revocations+jwt")["epoch"] == 7
try:
    open_token("changed.jwt", "assent-permit+jwt")
    sys.exit("PyJWT accepted a changed permit")
except jwt.exceptions.InvalidTokenError:
    pass

private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex((folder / "seed.hex").read_text()))
kid = jwt.get_unverified_header((folder / "permit.jwt").read_text())["kid"]
theirs = jwt.encode(claims, private, algorithm="EdDSA", headers={"typ": "assent-permit+jwt", "kid": kid})
(folder / "theirs.jwt").write_text(theirs)
print("good")
