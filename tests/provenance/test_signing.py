"""Signing at keep time: the mark stays, the signature holds, it is known as ours, and its failing costs no headshot."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from core import generations, marks, provenance
from core.__main__ import main
from core.errors import BadSettings, Busy
from core.provenance import State, apart, certificates, credentials, signing
from core.services import Services
from core.settings import Settings, load_settings
from core.ui import image_text
from tests.provenance.signed import certificate
from tests.provenance.test_look import OURS, mark, plain


def test_a_headshot_is_signed_and_keeps_its_mark() -> None:
    made = signing.signed(mark(plain(), OURS), certificate())
    assert marks.read_marks(made) == OURS
    found = provenance.look(made, ours=certificate())
    assert found.mark.ours and found.credentials.state is State.KEPT and found.credentials.ours
    assert found.credentials.source_types == ("composite",) and found.credentials.made_with == "WorkShot 2"
    assert image_text.origin(found).startswith("Yes. It is signed with the key of this server")


def test_only_this_server_s_own_signature_proves_that_it_was_made_here() -> None:
    theirs = signing.signed(mark(plain(), OURS), certificate("Somebody else"))
    found = provenance.look(theirs, ours=certificate())
    assert found.credentials.state is State.KEPT and not found.credentials.ours
    assert not provenance.look(theirs).credentials.ours
    assert "Yes" not in image_text.origin(found)


def test_another_certificate_under_the_same_root_is_not_ours() -> None:
    made = signing.signed(mark(plain(), OURS), certificate())
    assert not provenance.look(made, ours=replace(certificate(), serial="1")).credentials.ours


def test_a_changed_one_is_broken() -> None:
    made = signing.signed(mark(plain(), OURS), certificate())
    found = provenance.look(made[:-40] + bytes([made[-40] ^ 1]) + made[-39:], ours=certificate())
    assert found.credentials.state is State.BROKEN and "Yes" not in image_text.origin(found)


def test_what_cannot_be_signed_is_kept_with_its_mark_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    marked = mark(plain(), OURS)
    dying = tmp_path / "signer.py"
    dying.write_text("import os; os.abort()")
    assert signing.signed(marked, certificate(), signer=dying) == marked
    assert "could not be signed" in caplog.text
    chain, key = certificates.development(name="Old", now=datetime.now(UTC) - timedelta(days=800))
    old = certificates.of(Settings(c2pa_certificate=chain, c2pa_key=SecretStr(key)))
    assert signing.signed(marked, old) == marked


@contextmanager
def crowded(program: Path) -> Iterator[None]:
    with ExitStack() as others:
        for _ in range(apart.AT_ONCE):
            others.enter_context(apart.places(program))
        yield


def test_who_has_images_checked_takes_no_place_from_a_signature() -> None:
    marked = mark(plain(), OURS)
    with crowded(credentials.READER):
        with pytest.raises(Busy):
            apart.run(credentials.READER, given=b"", patience=0)
        assert signing.signed(marked, certificate(), patience=0) != marked
    assert apart.PATIENCE <= 5 < signing.PATIENCE


def test_where_there_was_no_place_to_sign_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    marked = mark(plain(), OURS)
    with crowded(signing.SIGNER):
        assert signing.signed(marked, certificate(), patience=0) == marked
    assert "too many were being signed" in caplog.text and "certificate" not in caplog.text


def test_without_a_certificate_nothing_changes() -> None:
    marked = mark(plain(), OURS)
    assert certificates.of(Settings()) is None and signing.signed(marked, None) == marked


def test_half_a_setting_or_a_key_of_another_is_refused() -> None:
    chain, key = certificates.development(name="A", now=datetime.now(UTC))
    with pytest.raises(BadSettings, match="C2PA_KEY"):
        load_settings(c2pa_certificate=chain)
    other = certificates.development(name="B", now=datetime.now(UTC))[1]
    with pytest.raises(BadSettings, match="does not belong"):
        certificates.of(Settings(c2pa_certificate=chain, c2pa_key=SecretStr(other)))
    with pytest.raises(BadSettings, match="PEM"):
        certificates.of(Settings(c2pa_certificate="x", c2pa_key=SecretStr("y")))
    assert key not in repr(certificates.of(Settings(c2pa_certificate=chain, c2pa_key=SecretStr(key))))


@pytest.mark.sqlite_only("which database is used makes no difference to a signature")
def test_what_a_run_keeps_is_signed(svc: Services) -> None:
    own = certificate()
    update = {"c2pa_certificate": own.chain, "c2pa_key": SecretStr(own.key)}
    made = generations._signed(replace(svc, settings=svc.settings.model_copy(update=update)), _headshot())
    assert provenance.look(made.data, ours=own).credentials.ours
    assert generations._signed(svc, _headshot()) == _headshot()


def _headshot() -> generations.Headshot:
    return generations.Headshot(variant=1, data=mark(plain(), OURS), width=256, height=256)


def test_the_command_makes_one_that_works_and_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["c2pa", "development-certificate", "--to", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"C2PA_KEY_FILE={tmp_path / 'key.pem'}" in said and "PRIVATE" not in said
    assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0
    chain, key = (tmp_path / name for name in ("certificate.pem", "key.pem"))
    own = certificates.of(Settings(c2pa_certificate=chain.read_text(), c2pa_key=SecretStr(key.read_text())))
    assert provenance.look(signing.signed(mark(plain(), OURS), own), ours=own).credentials.ours
    assert main(["c2pa", "development-certificate", "--to", str(tmp_path)]) == 2


def test_a_server_starts_without_any_of_it() -> None:
    program = "import sys, core.generations; print({'c2pa', 'core.intake', 'cryptography.x509'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
