"""After a whole life of a photo, nobody finds a word or a byte of its owner: not in a table, a file or a log line."""

import hashlib
import io
import logging
import secrets
from dataclasses import replace

import pytest
from PIL import Image
from sqlmodel import SQLModel, select

from core import access, generations, intake, jobs, retention
from core.adapters.local_files import LocalFiles
from core.contracts import Contract
from core.errors import NotFound, StorageUnavailable
from core.generations import Agreement, Upload
from core.models import CopyKind, Generation, new_id
from core.ports import Presence
from core.provider import links
from core.vault import Vault
from tests.conftest import BOB, CHOICES
from tests.provider.outsider import PLACE, Outsider, beside, given_task, look, noted

COOKIE = secrets.token_urlsafe(32)
ANN = hashlib.sha256(b"workshot session 1:" + COOKIE.encode()).hexdigest()
FILE_NAME = "Annegret-Musterfrau-Passfoto.jpg"
NOTE = "please hide the scar on my left cheek"
ADDRESS = "203.0.113.77"
SECRET_PLACE = "Lindenstrasse 7"


def photo() -> bytes:
    """A JPEG that carries a name and a place, as cameras and phones write them."""
    picture = Image.effect_noise((640, 800), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010E], exif[0x013B] = SECRET_PLACE, FILE_NAME
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif, comment=FILE_NAME.encode())
    return out.getvalue()


PHOTO = photo()  # before any log is captured: Pillow's own debug lines tell what it writes


@pytest.fixture
def home(svc, tmp_path, engine):
    """Services with a vault on disk, so that there are files to look through."""
    svc = replace(svc, vault=Vault(LocalFiles(tmp_path / "vault"), b"k" * 32))
    engine.at_stage = lambda stage: None
    return svc


def live_and_leave(svc, worker, engine, clock):
    """Upload, run, failed run, code, guesses, shorten, erase, sweep. Gives what must be found nowhere."""
    clean = intake.read(PHOTO)
    uploads = [Upload(kind=CopyKind.PORTRAIT, data=clean.data, width=640, height=800, received_at=clock())]
    choices = replace(CHOICES, note=NOTE, contract=Contract.WEEK)
    agreement = Agreement(may_use_photo=True, is_adult=True)
    network = svc.networks.name(ADDRESS)
    svc.networks.spend(network, limit=9)
    run_id = generations.request(svc, ANN, request_id=new_id(), uploads=uploads, choices=choices, agreement=agreement)
    code = access.issue_claim_code(svc, ANN)
    access.open_with_code(svc, BOB, network, code)
    with pytest.raises(NotFound):
        access.open_with_code(svc, BOB, network, code[:-1])

    def break_down(stage):
        raise StorageUnavailable(f"{FILE_NAME} {NOTE} {code} {COOKIE}")

    engine.at_stage = break_down
    worker.beat()
    drain(worker)
    engine.at_stage = lambda stage: None
    clock.advance(minutes=1)
    drain(worker)
    with svc.reading() as session:
        headshots = generations.view(session, ANN, run_id, clock()).headshots
        made = [svc.vault.get(access.current_subject(session, ANN), copy) for copy in headshots]
    assert len(made) == 2
    yield code, clean.data, *made
    retention.shorten(svc, run_id, Contract.DAY)
    with svc.reading() as session:
        subject_id = access.current_subject(session, ANN).id
    retention.erase_everything(svc, subject_id)
    drain(worker)
    clock.advance(days=2)
    retention.sweep(svc)
    yield code, clean.data, *made


def drain(worker):
    while worker.look((*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK)):
        pass


def needles(code: str, *images: bytes) -> list[bytes]:
    words = [COOKIE, FILE_NAME, "Musterfrau", NOTE, "scar", code, code.replace("-", ""), SECRET_PLACE, ADDRESS]
    parts = [image[at : at + 16] for image in images for at in (len(image) // 3, len(image) // 2, len(image) - 40)]
    return [word.encode() for word in words] + parts


def test_nothing_of_a_person_is_in_a_table_a_file_or_a_log(home, clock, engine, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    for code, *images in live_and_leave(home, jobs.Worker(home), engine, clock):
        places = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        assert ("workshot.db" in places) is (home.database.dialect.name == "sqlite")
        places["log"] = caplog.text.encode()
        places["names of files"] = "\n".join(places).encode()
        found = {(name, needle) for name, data in places.items() for needle in needles(code, *images) if needle in data}
        assert found == set()
    assert "StorageUnavailable" in caplog.text, "the failure was logged, without its message"


def test_no_row_of_any_table_holds_a_needle(home, clock, engine, worker):
    for code, *images in live_and_leave(home, jobs.Worker(home), engine, clock):
        with home.database.connect() as connection:
            for table in SQLModel.metadata.sorted_tables:
                rows = connection.execute(table.select()).all()
                held = repr([tuple(row) for row in rows]).encode() + b"".join(
                    value for row in rows for value in row if isinstance(value, bytes)
                )
                assert not [needle for needle in needles(code, *images) if needle in held], table.name


def test_the_needles_would_be_found(home, clock, engine):
    """The search itself: what is in the clear is seen."""
    code, *images = next(live_and_leave(home, jobs.Worker(home), engine, clock))

    assert all(needle in b"|".join([*needles(code), *images]) for needle in needles(code, *images))
    assert all(len(needle) >= 4 for needle in needles(code, *images))


def test_after_the_end_no_key_no_hash_and_no_link_is_left(home, clock, engine):
    *_, _last = live_and_leave(home, jobs.Worker(home), engine, clock)

    files = [path for path in (home.settings.data_dir / "vault").rglob("*") if path.is_file()]
    assert [path.name for path in files] == [".workshot-vault"]
    with home.database.connect() as connection:
        held = {
            table.name: connection.execute(table.select()).mappings().all() for table in SQLModel.metadata.sorted_tables
        }
    assert [(row["sealed_key"], row["claim_hash"]) for row in held["subject"]] == [(None, None)]
    assert [row["sealed_note"] for row in held["generation"]] == [None]
    assert held["browser_session"] == held["job"] == []


def test_what_lay_at_a_third_party_is_found_nowhere_either(home, clock, engine, caplog, tmp_path):
    """Its addresses, and the one by which it fetched the photo: whoever finds one sees the face."""
    caplog.set_level(logging.DEBUG, logger="core")
    outsider = Outsider(shows={PLACE + "1.png": Presence.PRESENT})
    settings = home.settings.model_copy(update={"public_url": "https://photos.example.org"})
    svc = replace(beside(home, outsider), settings=settings)
    life = live_and_leave(svc, jobs.Worker(svc), engine, clock)
    next(life)
    with svc.reading() as session:
        run = session.exec(select(Generation)).one()
    task = given_task(svc, run.id)
    noted(svc, task)
    with svc.transaction() as session:
        secret = links.offer(svc, session, task, run.portrait_id, clock()).split("/")[-2]
    links.serve(svc, secret)
    list(life)
    look(svc)
    with home.database.connect() as connection:
        tables = [connection.execute(table.select()).all() for table in SQLModel.metadata.sorted_tables]
    files = [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    seen = "".join([repr(tables), caplog.text, *files])
    assert outsider.asked_for == [PLACE + "1.png"] and "provider_copy:open" in seen
    assert not [word for word in (PLACE, "example.net", secret) if word in seen]
