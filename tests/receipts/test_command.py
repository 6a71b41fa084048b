"""`python -m core receipt verify FILE`: exit status 0 only for a receipt that verifies."""

import base64
import json
import os
import subprocess
import sys

import pytest

from core import bootstrap
from core.__main__ import main
from core.settings import ROOT
from core.signing import Signer

pytestmark = pytest.mark.sqlite_only("a receipt is checked without a database")


@pytest.fixture
def verify(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "installation"))

    def run(data: bytes | None, *options: str):
        file = tmp_path / "receipt.json"
        if data is not None:
            file.write_bytes(data)
        status = main(["receipt", "verify", str(file), *options])
        return status, capsys.readouterr().out

    return run


@pytest.fixture
def key(svc) -> str:
    return base64.b64encode(svc.signer.public_key).decode()


def test_by_the_public_key_alone_and_nothing_is_made(verify, genuine, key, tmp_path, erased):
    status, said = verify(genuine, "--key", key)

    assert status == 0
    assert said.startswith("This receipt is genuine") and erased[0].number in said
    assert "It does not show:" in said
    assert not (tmp_path / "installation").exists(), "no database, no key, no folder"


def test_a_process_of_its_own_needs_no_settings(genuine, key, tmp_path):
    (tmp_path / "r.json").write_bytes(genuine)
    command = [sys.executable, "-m", "core", "receipt", "verify", "r.json", "--key", key, "--json"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": "no database at all"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert (done.returncode, told["well"], told["finding"]) == (0, True, "verifies"), done.stderr
    assert told["statement"]["copies"][0]["probes"][0]["answer"] == "absent"


def test_any_of_several_keys_will_do(verify, genuine, key):
    other = base64.b64encode(Signer(b"t" * 32).public_key).decode()
    assert verify(genuine, "--key", other, "--key", key)[0] == 0
    status, said = verify(genuine, "--key", other)
    assert status == 1 and said.startswith("Nobody here knows the key")


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda data: data.replace(b'"portrait"', b'"headshot"'), "changed"),
        (lambda data: data[:-9], "not_json"),
        (lambda data: b"{}", "not_a_receipt"),
        (lambda data: data + b" " * 11 * 1024**2, "too_large"),
    ],
)
def test_anything_else_fails(verify, genuine, key, change, finding):
    status, said = verify(change(genuine), "--key", key, "--json")
    told = json.loads(said)
    assert (status, told["well"], told["finding"], told["statement"]) == (1, False, finding, None)


@pytest.mark.parametrize("key", ["", "key", "AAAA", "ä" * 44, "=" * 44])
def test_a_key_that_is_none_is_named(verify, key):
    status, said = verify(b"{}", "--key", key)
    assert status == 2 and said.startswith("--key wants a public key in base64")


def test_a_file_that_is_not_there(verify, key):
    assert verify(None, "--key", key) == (2, "This file cannot be read. Is its name right?\n")


def test_without_a_key_the_installation_is_asked(verify, genuine, settings, tmp_path):
    status, said = verify(genuine)
    assert status == 1 and said.startswith("Nobody here knows the key")
    assert bootstrap.load_settings(data_dir=tmp_path / "installation").database
