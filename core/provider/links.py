"""
Hand-over links: an address of ours that gives one picture to a provider, once, within minutes.

Whoever knows the address gets the picture, so:

* The secret is worked out from the link's id under our master key. No row, log or backup has it, and making it anew
  gives the same address: what is sent again under one idempotency key is the same to the byte.
* It is used up before it is answered, by one statement that nobody can pass twice. Whatever fails after that, it is
  over: nothing is served a second time.
* It ends with its task, with its picture and with its minutes, whichever comes first. What is over, used, foreign or
  made up looks the same from outside.
"""

import hmac
import re
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import copies
from core.errors import NotAllowed, NotFound
from core.models import HandOverLink, ProviderTask, ProviderTaskState
from core.services import Services

LIVES: Final = timedelta(minutes=10)
FILE_NAME: Final = "photo.jpg"
"""The same for everybody."""
PURPOSE: Final = "hand-over"
_SECRET: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def offer(svc: Services, session: Session, task: ProviderTask, copy_id: str, now: datetime) -> str:
    """Where the provider can get this picture for this task: the same address each time, until it is closed.

    Offered again, an unused one has all its minutes again. A used one is followed by another only where nothing was
    taken: what may have been is sent again to the byte, or not at all. Raises NotAllowed where nobody could reach it.
    """
    base = svc.settings.public_url
    if not base:
        raise NotAllowed("Set PUBLIC_URL: without it, no link leads here.", code="no_public_url")
    link = _of(session, task.id, copy_id)
    if link is not None and link.served_at is not None and task.state is ProviderTaskState.PLANNED:
        link.closed_at, link = now, None
    if link is None:
        link = HandOverLink(task_id=task.id, copy_id=copy_id, made_at=now, expires_at=now + LIVES)
    else:
        link.expires_at = now + LIVES  # of no use to a used one
    session.add(link)
    session.flush()
    return f"{base}/handover/{_secret(svc, link.id)}/{FILE_NAME}"


def _of(session: Session, task_id: str, copy_id: str) -> HandOverLink | None:
    these = HandOverLink.task_id == task_id, HandOverLink.copy_id == copy_id, col(HandOverLink.closed_at).is_(None)
    return session.exec(select(HandOverLink).where(*these).with_for_update()).first()


def serve(svc: Services, secret: str) -> bytes:
    """The picture, as the provider takes it: pixels and nothing else. Once. Raises NotFound for anything else."""
    link = _use_up(svc, _known(svc, secret))
    with svc.reading() as session:
        task = session.get_one(ProviderTask, link.task_id)
    provider = svc.providers.get(task.provider)
    if provider is None:
        raise _nothing()
    return provider.for_sending(copies.read_upload(svc, link.copy_id))


def close(session: Session, task_ids: Collection[str], now: datetime) -> None:
    """Nothing more is served for these tasks. What is offered for one of them later has another address."""
    these = col(HandOverLink.task_id).in_(task_ids), col(HandOverLink.closed_at).is_(None)
    session.execute(sa.update(HandOverLink).where(*these).values(closed_at=now))


def _known(svc: Services, secret: str) -> str:
    """The id of the link that this opens. Those that are open are few, and each is compared in constant time."""
    if not _SECRET.fullmatch(secret):
        raise _nothing()
    with svc.reading() as session:
        ids = session.exec(select(HandOverLink.id).where(*_open(svc.clock()))).all()
    found = [link_id for link_id in ids if hmac.compare_digest(_secret(svc, link_id), secret)]
    if not found:
        raise _nothing()
    return found[0]


def _use_up(svc: Services, link_id: str) -> HandOverLink:
    """Of two that ask at once, one is told that there is nothing."""
    now = svc.clock()
    use = sa.update(HandOverLink).where(col(HandOverLink.id) == link_id, *_open(now)).values(served_at=now)
    with svc.transaction() as session:
        if session.execute(use).rowcount != 1:  # type: ignore[attr-defined]
            raise _nothing()
        return session.get_one(HandOverLink, link_id)


def _open(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """A task that has ended needs no picture, whether or not anybody has closed its links."""
    wanted = select(ProviderTask.id).where(col(ProviderTask.ended_at).is_(None))
    return (
        col(HandOverLink.served_at).is_(None),
        col(HandOverLink.closed_at).is_(None),
        col(HandOverLink.expires_at) > now,
        col(HandOverLink.task_id).in_(wanted),
    )


def _secret(svc: Services, link_id: str) -> str:
    return svc.vault.keyed_hash(PURPOSE, link_id.encode())


def _nothing() -> NotFound:
    return NotFound("There is nothing here.")
