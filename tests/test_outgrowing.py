"""From files on one machine to a bucket and back, with nothing but settings and one command."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from core import bootstrap, copies, doctor
from core.__main__ import main
from core.errors import BadSettings
from core.models import CopyKind, Subject, new_id
from core.settings import ROOT, load_settings
from tests.peers.s3_servers import ACCESS, BUCKET

PLAIN = b"a face"


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


@pytest.fixture(params=["R2 simulator", "SeaweedFS"])
def s3_settings(request, s3_servers):
    return {
        "s3_endpoint_url": s3_servers.endpoint(request.param),
        "s3_bucket": BUCKET,
        "s3_access_key_id": ACCESS[0],
        "s3_secret_access_key": ACCESS[1],
    }


@pytest.fixture
def build(data_dir, database_setting):
    started = []

    def start(**settings):
        started.append(bootstrap.build(load_settings(data_dir=data_dir, database_url=database_setting, **settings)))
        return started[-1]

    yield start
    for svc in started:
        svc.database.dispose()


@pytest.fixture
def core(data_dir, database_setting, s3_settings, monkeypatch, capsys):
    """The command line with S3 set, in this process."""

    def run(*arguments, settings=s3_settings):
        capsys.readouterr()
        with monkeypatch.context() as environment:
            for name, value in ({"data_dir": str(data_dir), "database_url": database_setting} | settings).items():
                environment.setenv(name.upper(), value)
            status = main([*arguments, "--json"])
        return status, json.loads(capsys.readouterr().out)

    return run


def given_image(svc):
    with svc.transaction() as session:
        subject = Subject(id=new_id(), created_at=svc.clock())
        subject.sealed_key = svc.vault.make_key(subject.id)
        session.add(subject)
        session.flush()
        copy = copies.plan(
            session,
            subject_id=subject.id,
            kind=CopyKind.PORTRAIT,
            width=1,
            height=1,
            size=len(PLAIN),
            at=svc.clock(),
            erase_by=svc.clock() + timedelta(days=1),
        )
    copies.write(svc, copy.id, PLAIN)
    return copy


def keys_in(store):
    return {each.key for each in store.inventory()}


def test_the_doctor_takes_a_test_object_through_the_bucket(build, s3_settings, data_dir):
    svc = build(**s3_settings)
    before = keys_in(svc.vault.store)
    vault = next(check for check in doctor.examine(svc) if check.name == "vault")

    assert vault.health is doctor.Health.FINE, vault.says
    assert keys_in(svc.vault.store) == before
    assert not (data_dir / "vault").exists()


def test_images_move_to_the_bucket_and_back_and_open_in_both_places(build, core, s3_settings, data_dir):
    image = given_image(build())
    with pytest.raises(BadSettings, match="migrate-objects"):
        build(**s3_settings)

    assert core("migrate-objects") == (0, {"moved": 1, "due": 0, "no_row": 0, "failed": 0})
    svc = build(**s3_settings)
    assert copies.read(svc, image.id) == PLAIN
    assert image.object_key in keys_in(svc.vault.store)
    with pytest.raises(BadSettings, match="vault's folder is missing"):
        build()  # S3 was unset by mistake: an empty folder would "prove" everything gone

    assert core("migrate-objects", "--from", "s3", "--to", "local")[1]["moved"] == 1
    assert copies.read(build(), image.id) == PLAIN
    assert image.object_key not in keys_in(svc.vault.store)


def test_what_no_row_knows_is_left_and_reported(build, core, data_dir):
    svc = build()
    svc.vault.store.put("ab" * 20, b"rubbish, or a lost row")

    assert core("migrate-objects") == (1, {"moved": 0, "due": 0, "no_row": 1, "failed": 0})
    assert keys_in(svc.vault.store) == {"ab" * 20}


def test_moving_twice_and_from_nowhere_is_no_error(core, data_dir):
    nothing = {"moved": 0, "due": 0, "no_row": 0, "failed": 0}

    assert [core("migrate-objects"), core("migrate-objects")] == [(0, nothing)] * 2
    assert not (data_dir / "vault").exists()


def test_without_s3_or_to_the_same_place_it_says_so(core):
    assert core("migrate-objects", "--to", "local")[0] == 2
    status, said = core("migrate-objects", settings={})

    assert (status, said["error"]) == (2, "bad_settings")


def test_a_start_without_s3_does_not_wait_for_its_client(data_dir):
    look = "import sys; from core import bootstrap; from core.settings import load_settings; "
    look += "bootstrap.build(load_settings(data_dir=sys.argv[1])); sys.exit('boto3' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", look, data_dir], cwd=ROOT, timeout=60, check=False).returncode == 0
