"""Ann made headshots, Eve reports one, and Kim and Lee are on duty."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col, select

from core import access, copies, generations, jobs, operators, reports
from core.generations import Agreement, Upload
from core.models import AbuseKind, AuditEntry, Copy, CopyKind, Generation, Role, Subject, new_id
from core.operators import Operator
from core.reports import Received, Said
from core.services import Services
from tests.conftest import ANN, CHOICES, EVE
from tests.fakes import jpeg

ORIGINAL = jpeg(640, 800, "sienna")
"""The very file that Ann uploaded."""


def operator(svc: Services, role: Role, name: str) -> Operator:
    return operators.open_link(svc, operators.make_link(svc, role).url.rpartition("/")[2], name * 64)


@pytest.fixture
def open_house(svc: Services) -> Services:
    """Where two operators may look."""
    settings = svc.settings.model_copy(update={"look_at_reported": True, "privacy_contact": "privacy@example.org"})
    return replace(svc, settings=settings)


@pytest.fixture
def kim(open_house: Services) -> Operator:
    return operator(open_house, Role.SUPPORT, "c")


@pytest.fixture
def lee(open_house: Services) -> Operator:
    return operator(open_house, Role.FOUNDER, "d")


@pytest.fixture
def made(open_house: Services) -> Callable[..., Generation]:
    """Ann's run, with its headshots."""

    def make(svc: Services = open_house, who: str = ANN, original: bytes = ORIGINAL) -> Generation:
        run_id = press(svc, who, original)
        drawn(svc)
        with svc.reading() as session:
            return session.get_one(Generation, run_id)

    return make


def press(svc: Services, who: str = ANN, original: bytes = ORIGINAL) -> str:
    upload = Upload(
        kind=CopyKind.PORTRAIT,
        data=jpeg(600, 750),
        width=600,
        height=750,
        received_at=svc.clock(),
        original_hash=copies.hash_of_original(svc, original),
    )
    agreement = Agreement(may_use_photo=True, is_adult=True)
    return generations.request(svc, who, request_id=new_id(), uploads=[upload], choices=CHOICES, agreement=agreement)


def drawn(svc: Services) -> None:
    worker = jobs.Worker(svc)
    while worker.look((*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK, *jobs.DESK_WORK)):
        pass


@pytest.fixture
def report(open_house: Services) -> Callable[..., Received]:
    """Eve reports, with whatever she knows."""

    def send(svc: Services = open_house, *, who: str = EVE, press_id: str | None = None, **said: Any) -> Received:
        words = {"kind": AbuseKind.NOT_ASKED, "words": "That is me."} | said
        return reports.open_report(svc, who, Said(**words), press_id=press_id or new_id())

    return send


@pytest.fixture
def reported(open_house: Services, made: Callable[..., Generation], report: Callable[..., Received]) -> str:
    """The id of a report that names the number of Ann's run."""
    return id_of(open_house, report(run_number=made().number))


def id_of(svc: Services, received: Received) -> str:
    with svc.reading() as session:
        found = reports.numbered(session, received.number)
    assert found is not None
    return found.id


def subject_of(svc: Services, who: str = ANN) -> Subject:
    with svc.reading() as session:
        found = access.current_subject(session, who)
    assert found is not None
    return found


def headshots(svc: Services, who: str = ANN) -> list[Copy]:
    with svc.reading() as session:
        query = select(Copy).where(Copy.subject_id == subject_of(svc, who).id, Copy.kind == CopyKind.HEADSHOT)
        return list(session.exec(query.order_by(col(Copy.created_at))).all())


def deeds(svc: Services, *nouns: str) -> list[tuple[str, str]]:
    """What the audit log has of these, with who did it."""
    with svc.reading() as session:
        entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.seq))).all()
    return [(entry.action, entry.actor) for entry in entries if entry.action.partition(":")[0] in nouns]
