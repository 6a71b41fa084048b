"""Mails as files: each once, for its owner's eyes only, and for thirty days."""

import stat
from datetime import timedelta

import pytest

from core.adapters.outbox import Outbox
from core.errors import MailUnavailable
from tests.fakes import NOON

MAIL = b"Date: Mon, 02 Mar 2026 12:00:00 +0000\r\nMessage-ID: <%d@workshot.example>\r\n\r\nErased.\r\n"


@pytest.fixture
def outbox(tmp_path):
    return Outbox(tmp_path / "outbox")


def write(outbox, number):
    outbox.send(MAIL % number, sender="privacy@workshot.example", to="ann@example.org")


def test_a_mail_is_a_file_for_this_user_only(outbox):
    write(outbox, 1)

    (path,) = outbox.folder.iterdir()
    assert path.read_bytes() == MAIL % 1
    assert path.name.startswith("20260302T120000Z-") and path.suffix == ".eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(outbox.folder.stat().st_mode) == 0o700


def test_the_same_mail_is_the_same_file_and_another_is_not(outbox):
    for number in (1, 1, 2):
        write(outbox, number)
    assert len(list(outbox.folder.iterdir())) == 2


def test_a_write_that_was_cut_off_is_finished_by_the_next(outbox):
    write(outbox, 1)
    (path,) = outbox.folder.iterdir()
    path.rename(path.with_name(f".{path.name}.part"))
    path.with_name(f".{path.name}.part").write_bytes(b"From: half")
    write(outbox, 1)
    assert [each.read_bytes() for each in outbox.folder.iterdir()] == [MAIL % 1]


def test_what_is_old_goes_and_what_is_not_ours_stays(outbox):
    write(outbox, 1)
    (outbox.folder / ".20260302T120000Z-0123456789abcdef.eml.part").write_bytes(b"half of somebody's address")
    (outbox.folder / "notes.txt").write_text("an operator's own")

    assert outbox.forget(before=NOON) == 0
    assert outbox.forget(before=NOON + timedelta(seconds=1)) == 2
    assert [path.name for path in outbox.folder.iterdir()] == ["notes.txt"]


def test_no_outbox_yet_has_nothing_to_forget(outbox):
    assert outbox.forget(before=NOON) == 0
    assert outbox.check() == "No SMTP_HOST is set: mails are written to the outbox in DATA_DIR, 0 now"


def test_a_disk_that_takes_nothing_is_trouble_for_later(tmp_path):
    (tmp_path / "outbox").write_text("in the way")
    for call in (lambda o: write(o, 1), lambda o: o.check()):
        with pytest.raises(MailUnavailable):
            call(Outbox(tmp_path / "outbox"))
