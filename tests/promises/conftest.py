"""A sound installation, and strangers that answer as they are told."""

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core import bootstrap, promises, retention
from core.models import PolicyVersion, PromiseState
from core.ports import Answered
from core.promises import Promise, Stand
from core.services import Services

CSP = "default-src 'self'; script-src 'self' 'sha256-abc=' blob:; img-src 'self' data:"
COOKIE = "workshot=" + "a" * 42 + "{n}; Path=/; HttpOnly; SameSite=Lax"


def promise(promise_id: str) -> Promise:
    (found,) = [each for each in promises.PROMISES if each.id == promise_id]
    return found


@dataclass
class Told:
    """People on duty who can be reached, or not."""

    messages: list[tuple[str, str]] = field(default_factory=list)
    reached: bool = True

    def tell(self, title: str, text: str) -> bool:
        if self.reached:
            self.messages.append((title, text))
        return self.reached

    def check(self) -> tuple[int, int]:
        return 1, 1


@dataclass
class Server:
    """What a stranger is answered: nothing is anywhere, and a new browser gets a cookie, unless told otherwise."""

    way: str = "https"
    csp: str = CSP
    cookie: str = COOKIE
    pages: Mapping[str, Answered] = field(default_factory=dict)
    down: bool = False
    is_open: bool = False
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def ask(self, address: str, headers: Mapping[str, str] | None = None) -> Answered | None:
        assert self.is_open, "the connection is closed"
        self.asked.append((address, dict(headers or {})))
        if self.down:
            return None
        for start, answer in self.pages.items():
            if address.startswith(start):
                return answer
        if (headers or {}).get("accept") != "text/html":
            return Answered(status=404, headers=(), start=b"There is nothing here.")
        cookie = self.cookie.format(n=len(self.asked) % 10)
        headers_out = (("content-security-policy", self.csp), ("set-cookie", cookie))
        return Answered(status=200, headers=headers_out, start=b"{}")


def seen_by(svc: Services, server: Server) -> Services:
    @contextmanager
    def looking() -> Any:
        server.is_open = True
        yield server
        server.is_open = False

    return replace(svc, outside=looking)


@pytest.fixture
def duty() -> Told:
    return Told()


@pytest.fixture
def sound(svc: Services, duty: Told) -> Services:
    """As it should be: swept, on this machine, with a contact, people on duty, a policy in force, and routes to ask."""
    settings = svc.settings.model_copy(update={"privacy_contact": "privacy@workshot.example"})
    whole = replace(svc, settings=settings, notify=duty, here_alone=True)
    retention.sweep(whole)
    since = svc.clock() - timedelta(days=1)
    with svc.transaction() as session:
        session.add(PolicyVersion(version="v1", noted_at=since, effective_at=since, numbers="{}", texts="{}"))
    return bootstrap.seen_from_outside(whole)


@pytest.fixture
def lived_in(sound: Services, ask: Callable[..., str], work: Callable[[], int]) -> Services:
    """Somebody has a photo and headshots here."""
    ask()
    work()
    retention.sweep(sound)
    return sound


def measured(svc: Services, which: Promise) -> Stand:
    (stand,) = promises.run_checks(svc, svc.clock(), [which])
    return stand


def state_of(svc: Services, which: Promise) -> PromiseState:
    return measured(svc, which).state


def written(folder: Path, text: str, name: str = "core/new.py") -> Path:
    """A tree of source with one file of its own."""
    for part in ("core/engines/on_device", "pages"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder
