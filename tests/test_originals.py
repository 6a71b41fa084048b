"""The keyed hash of the file as it was uploaded: how somebody who still has it can show that it was theirs."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import col, select

from core import copies, generations, retention
from core.drafts import DraftKind
from core.models import AuditEntry, Copy, CopyKind, new_id
from core.services import Services
from core.ui.screens import compose
from tests.conftest import ANN, CHOICES
from tests.fakes import jpeg

FILES = {kind: jpeg(300, 300, colour) for kind, colour in zip(DraftKind, ("red", "green", "blue"), strict=True)}
Work = Callable[[], int]


@pytest.fixture
def uploaded(svc: Services) -> str:
    """A photo, clothing and a backdrop, added as the studio adds them."""
    from core import intake

    for kind, data in FILES.items():
        svc.drafts.put(ANN, kind, intake.read(data), original_hash=copies.hash_of_original(svc, data))
    return generations.request(
        svc,
        ANN,
        request_id=new_id(),
        uploads=[compose.upload_of(draft) for draft in svc.drafts.take(ANN).values()],
        choices=CHOICES,
        agreement=generations.Agreement(may_use_photo=True, is_adult=True),
    )


def matching(svc: Services, data: bytes) -> list[Copy]:
    with svc.reading() as session:
        return list(session.exec(select(Copy).where(Copy.original_hash == copies.hash_of_original(svc, data))))


def test_the_same_file_is_recognised_and_another_is_not(svc: Services, uploaded: str) -> None:
    for kind, data in FILES.items():
        assert [copy.kind for copy in matching(svc, data)] == [CopyKind(kind.value)]
        assert matching(svc, data[:-1] + bytes([data[-1] ^ 1])) == []
        assert matching(svc, data + b"\0") == []


def test_what_is_stored_is_not_the_file_and_does_not_match(svc: Services, uploaded: str) -> None:
    (copy,) = matching(svc, FILES[DraftKind.PORTRAIT])
    assert matching(svc, copies.read(svc, copy.id)) == []


def test_what_we_made_ourselves_has_none(svc: Services, uploaded: str, work: Work) -> None:
    work()
    with svc.reading() as session:
        made = session.exec(select(Copy.original_hash).where(Copy.kind == CopyKind.HEADSHOT)).all()
    assert made == [None, None]


def test_with_the_last_byte_goes_the_hash(svc: Services, uploaded: str, work: Work, store: Any) -> None:
    work()
    (copy,) = matching(svc, FILES[DraftKind.PORTRAIT])
    store.down = True
    retention.erase_everything(svc, copy.subject_id)
    work()
    assert matching(svc, FILES[DraftKind.PORTRAIT]), "not shown to be gone: it can still be asked for"
    store.down = False
    retention.sweep(svc)
    svc.clock.advance(hours=1)  # type: ignore[attr-defined]
    retention.sweep(svc)
    with svc.reading() as session:
        assert session.exec(select(Copy.gone_at).where(col(Copy.gone_at).is_(None))).all() == []
    assert [matching(svc, data) for data in FILES.values()] == [[], [], []]


def test_no_log_names_it(svc: Services, uploaded: str, work: Work, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    hashes = [copies.hash_of_original(svc, data) for data in FILES.values()]
    work()
    with svc.reading() as session:
        told = repr(session.exec(select(AuditEntry.facts, AuditEntry.ref)).all())
    assert not [one for one in hashes if one in told or one in caplog.text]
