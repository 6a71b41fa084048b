"""What the documentation says of a receipt is so: a stranger with it and the public key needs nothing of ours."""

import base64
import hashlib
import json
import re
import subprocess
import sys

import pytest

from core.settings import ROOT
from core.signing import Signer

pytestmark = pytest.mark.sqlite_only("a receipt is checked without a database")
DOCUMENTED = (ROOT / "data" / "receipt_format.md").read_text("utf-8")


@pytest.fixture
def documented_verifier(tmp_path):
    """The program that the documentation prints, run as a stranger would: no code of ours is in reach."""
    (program,) = re.findall(r"```python\n(.*?)```", DOCUMENTED, re.DOTALL)
    (tmp_path / "verify.py").write_text(program)

    def run(data: bytes, key: bytes):
        (tmp_path / "receipt.json").write_bytes(data)
        command = [sys.executable, "-I", "verify.py", "receipt.json", base64.b64encode(key).decode()]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert len([line for line in program.splitlines() if line.strip()]) <= 20
    return run


def test_the_documented_verifier_of_twenty_lines_agrees(svc, erased, genuine, documented_verifier):
    done = documented_verifier(genuine, svc.signer.public_key)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("genuine: R-") and erased[0].number in done.stdout
    for wrong in (
        genuine.replace(b'"portrait"', b'"headshot"'),
        genuine.replace(b'"revision": 1', b'"revision": 1, "revision": 1'),
        genuine.replace(b'"revision": 1', b'"revision": 1.0'),
    ):
        assert wrong != genuine
        assert documented_verifier(wrong, svc.signer.public_key).returncode != 0
    assert documented_verifier(genuine, Signer(b"t" * 32).public_key).returncode != 0


def test_the_documentation_names_every_member(genuine):
    statement = json.loads(genuine)["statement"]
    members = {*statement, *statement["request"], *statement["copies"][0], *statement["copies"][0]["probes"][0]}
    assert {member for member in members if f"`{member}`" not in DOCUMENTED} == set()


def test_the_documented_hash_finds_a_copy(erased, genuine):
    said = json.loads(genuine)["statement"]
    copy = erased[1][0]
    for what, word, name in (("copy", copy.id, "id_hash"), ("object", copy.object_key, "object_key_hash")):
        hashed = hashlib.sha256(f"workshot receipt 1:{said['salt']}:{what}:{word}".encode()).hexdigest()
        assert hashed in {one[name] for one in said["copies"]}
