"""Verifies an evidence pack with securesystemslib and in-toto-attestation: verify.py PACK PUBLIC_KEY."""

import hashlib
import json
import pathlib
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

PREDICATES = {
    "gate.test-result.json": ("https://in-toto.io/attestation/test-result/v0.1", test_result_pb2.TestResult),
    "gate.vsa.json": ("https://slsa.dev/verification_summary/v1", vsa_pb2.VerificationSummary),
}


def refuse(why):
    print(f"refused: {why}")
    sys.exit(1)


def opened(path, key):
    """The statement in an envelope, after its signature was verified."""
    try:
        envelope = Envelope.from_dict(json.loads(path.read_text()))
        envelope.verify([key], 1)
    except (VerificationError, ValueError, KeyError) as error:
        refuse(f"{path.name}: {type(error).__name__}")
    if envelope.payload_type != "application/vnd.in-toto+json":
        refuse(f"{path.name}: another payload type")
    if list(envelope.signatures) != [key.keyid]:
        refuse(f"{path.name}: another keyid")
    return json.loads(envelope.payload)


def main(pack, public_key):
    key = SSlibKey.from_crypto(load_pem_public_key(pathlib.Path(public_key).read_bytes()))
    files = {
        str(path.relative_to(pack)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in pathlib.Path(pack).rglob("*")
        if path.is_file() and path.parent.name != "attestations"
    }
    results = {}
    for name, (predicate_type, predicate) in PREDICATES.items():
        said = opened(pathlib.Path(pack, "attestations", name), key)
        statement = Statement.copy_from_pb(ParseDict(said, statement_pb2.Statement()))
        statement.validate()
        if statement.pb.predicate_type != predicate_type:
            refuse(f"{name}: another predicate type")
        # The specification makes verifiedLevels a list; the message of in-toto-attestation 0.9 has one string there.
        known = {part: value for part, value in said["predicate"].items() if part != "verifiedLevels"}
        results[name] = ParseDict(known, predicate())
        subjects = {it.name: it.digest["sha256"] for it in statement.pb.subject}
        if subjects != files:
            refuse(f"{name}: its subjects are not the files: {sorted(set(subjects.items()) ^ set(files.items()))}")
    tests = results["gate.test-result.json"]
    if not tests.passed_tests:
        refuse("an empty gate: no test passed")
    summary = json.loads(pathlib.Path(pack, "summary.json").read_text())
    expected = {"GO": "PASSED", "GO WITH WAIVER": "PASSED", "NO-GO": "FAILED"}[summary["verdict"]]
    if results["gate.vsa.json"].verification_result != expected:
        refuse("the attested result is not that of the summary")
    if (tests.result == "PASSED") != (summary["verdict"] == "GO"):
        refuse("the attested test result is not that of the summary")
    print(f"accepted: {summary['verdict']}")


main(*sys.argv[1:])
