"""
Spending: what providers charge, in sums that hold nothing of anyone. Millionths of a US dollar.

Booked in the transaction that learns of it, once: what a provider says that it charged, and apart from that, at list
price, what it may have charged where nobody can know. Budgets count both.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core.db import upsert
from core.errors import EngineError
from core.models import ProviderHealth, ProviderTask, Spending
from core.ports import Provider
from core.services import Services
from core.settings import Settings
from core.usage import noting

log = logging.getLogger(__name__)

MILLION: Final = 1_000_000


def micro(dollars: float) -> int:
    return round(dollars * MILLION)


def dollars(amount: int) -> str:
    """`$12.50`, `$0.0125`: cents always, and hundredths of a cent where there are any."""
    if 0 < amount < 50:
        return "under $0.0001"
    whole, rest = divmod((abs(amount) + 50) // 100, 10_000)
    digits = f"{rest:04}"
    return f"{'-' if amount <= -50 else ''}${whole:,}.{digits[:2]}{digits[2:].rstrip('0')}"


# ------------------------------------------------------------------------------------------------------------ booking
def charge(session: Session, task: ProviderTask, now: datetime) -> None:
    """What it said that this task has cost."""
    _book(session, task, now, charged=task.cost or 0, headshots=1)
    noting.charged(session, task, now)


def doubt(session: Session, task: ProviderTask, now: datetime, price: int) -> None:
    """It may have charged for this task, and nobody can know how much."""
    _book(session, task, now, possible=price, doubtful=1)


def _book(session: Session, task: ProviderTask, now: datetime, **more: int) -> None:
    sums = {"charged": 0, "headshots": 0, "possible": 0, "doubtful": 0} | more
    row = upsert(session.get_bind().dialect.name, Spending).values(
        day=_day(now), provider=task.provider, model=task.model, **sums
    )
    added = {name: getattr(Spending, name) + row.excluded[name] for name in sums}
    session.execute(row.on_conflict_do_update(index_elements=["day", "provider", "model"], set_=added))


def _day(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


# ------------------------------------------------------------------------------------------------------------ telling
@dataclass(frozen=True)
class Sum:
    """Of some days."""

    charged: int = 0
    headshots: int = 0  # that were charged
    possible: int = 0
    doubtful: int = 0  # headshots that may have been charged

    @property
    def at_most(self) -> int:
        return self.charged + self.possible


@dataclass(frozen=True)
class Spent:
    """Up to now, in UTC."""

    day: Sum
    month: Sum


def spent(session: Session, provider: str, now: datetime) -> Spent:
    day = _day(now)
    return Spent(day=since(session, provider, day), month=since(session, provider, day.replace(day=1)))


def since(session: Session, provider: str, day: datetime) -> Sum:
    sums = sa.select(*_sums()).where(col(Spending.provider) == provider, col(Spending.day) >= day)
    return _sum_of(session.execute(sums).one())


def _sums() -> list[sa.ColumnElement[int]]:
    return [func.coalesce(func.sum(getattr(Spending, name)), 0) for name in Sum.__dataclass_fields__]


def _sum_of(values: Iterable[int]) -> Sum:
    return Sum(*(int(value) for value in values))  # PostgreSQL adds whole numbers up to decimals


def ever_charged(session: Session) -> list[str]:
    """All providers that something was booked for, also those that are no longer set up."""
    return sorted(session.exec(select(Spending.provider).distinct()).all())


# ------------------------------------------------------------------------------------------------------------ balance
@dataclass(frozen=True)
class Balance:
    """What was left when it was last asked. `amount` None: without limit."""

    amount: int | None
    asked_at: datetime
    is_low: bool


def balance(session: Session, provider: str, settings: Settings) -> Balance | None:
    """None: it has never said."""
    row = session.get(ProviderHealth, provider)
    if row is None or row.balance_at is None:
        return None
    is_low = row.balance is not None and row.balance < micro(settings.apimart_balance_warning_usd)
    return Balance(row.balance, row.balance_at, is_low)


def look_at_balance(svc: Services) -> None:
    """Ask each provider what is left. One that does not say changes nothing."""
    for provider in svc.providers.values():
        try:
            left = provider.balance()
        except EngineError as exc:
            log.warning("balance of %s: %s", provider.name, type(exc).__name__)
        else:
            _note_balance(svc, provider, left)


def _note_balance(svc: Services, provider: Provider, left: int | None) -> None:
    said = {"balance": left, "balance_at": svc.clock()}
    row = upsert(svc.database.dialect.name, ProviderHealth).values(provider=provider.name, failures=0, **said)
    with svc.transaction() as session:
        session.execute(row.on_conflict_do_update(index_elements=["provider"], set_=said))
