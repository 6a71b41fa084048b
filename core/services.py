"""What a use case may reach for: always the first argument, built once by `bootstrap`, frozen."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlmodel import Session

from core.clock import Clock, utc_now
from core.db import reader
from core.drafts import Drafts
from core.fair_use import Guesses, Networks
from core.ports import Analytics, Engine, Framer, Inbox, Notify, Offered, Post, Provider, Stranger
from core.settings import Settings
from core.signing import Signer
from core.usage.counting import Tally, noted_in
from core.usage.visits import Visits
from core.vault import Vault


@dataclass(frozen=True, kw_only=True)
class Services:
    settings: Settings
    database: sa.Engine
    vault: Vault
    engines: Mapping[str, Engine]
    """That work on this server."""
    framer: Framer
    drafts: Drafts
    networks: Networks
    guesses: Guesses
    signer: Signer
    providers: Mapping[str, Provider] = field(default_factory=dict)
    """Third parties, each only where it is set up."""
    post: Post | None = None
    """None: nowhere to send to, and mails wait."""
    inbox: Inbox | None = None
    """None: no mailbox is read."""
    notify: Notify | None = None
    """None: nobody is on duty."""
    analytics: Analytics | None = None
    """None: nobody else is told how often anything happens."""
    outside: Callable[[], AbstractContextManager[Stranger]] | None = None
    """How our own server looks from outside. None: there is no way to ask it."""
    here_alone: bool = False
    """Our server is known to listen to this machine only. A process that is not the server cannot know."""
    tally: Tally = field(default_factory=Tally)
    visits: Visits = field(default_factory=Visits)
    clock: Clock = utc_now
    wake: Callable[[], None] = field(default=lambda: None)
    """Tell a worker in this process that there is something to do. Others find it at their next look."""

    @property
    def offered(self) -> Mapping[str, Offered]:
        """Everything that can be chosen to make headshots, what works on this server first."""
        return {**self.engines, **self.providers}

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Commits at the end, rolls back on any error. Keep the network and the vault out of it."""
        with Session(self.database, expire_on_commit=False) as session, session.begin():
            yield session
        self.tally.add(noted_in(session))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Takes no write lock; writes nothing."""
        with Session(reader(self.database), expire_on_commit=False) as session:
            yield session
