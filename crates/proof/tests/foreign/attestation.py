"""securesystemslib verifies the envelopes of a change by the published PEM; in-toto's own type reads the statement."""

import json
import pathlib
import sys

from cryptography.hazmat.primitives import serialization
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

folder = pathlib.Path(sys.argv[1])
digits = sys.argv[2]
found = json.loads((folder / "attestations.json").read_text())
assert found["left_out"] == [], found["left_out"]
assert len(found["envelopes"]) == 1, found
raw = found["envelopes"][0]
pem = (folder / "key.pem").read_bytes()
assert pem.count(b"BEGIN PUBLIC KEY") == 1, pem
public = serialization.load_pem_public_key(pem)
plain = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def verify(raw):
    envelope = Envelope.from_dict(json.loads(json.dumps(raw)))
    key = SSlibKey(raw["signatures"][0]["keyid"], "ed25519", "ed25519", {"public": plain.hex()})
    envelope.verify([key], 1)
    return json.loads(envelope.payload)


said = verify(raw)
statement = json_format.ParseDict(said, statement_pb2.Statement())
Statement.copy_from_pb(statement).validate()
assert dict(statement.subject[0].digest) == {"sha256": digits}, statement.subject
assert said["predicateType"] == "https://slsa.dev/verification_summary/v1", said
summary = said["predicate"]
assert summary["verificationResult"] == "PASSED", summary
assert summary["verifiedLevels"] == ["ASSENT_APPROVED_CHANGE"], summary
assert summary["resourceUri"].endswith("/services/edge-dns/environments/production"), summary
assert set(summary) >= {"verifier", "timeVerified", "policy"}, summary
changed = json.loads(json.dumps(raw))
changed["payload"] = changed["payload"][:-8] + "AAAAAAA="
try:
    verify(changed)
    sys.exit("securesystemslib accepted a changed statement")
except VerificationError:
    pass
