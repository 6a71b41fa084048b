"""
Holds: too much at once is a question.

A clock that is wrong makes everything due. So a sweep that would erase more by the clock than the settings allow erases
only what people asked for, and what it did not dare to erase waits for an operator, under the hash of its plan.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col

from core import audit, plans
from core.db import take_turns
from core.models import SweepHold
from core.plans import Plan
from core.services import Services

SHARE_COUNTS_FROM = 200
"""A share of a small vault is no sign of anything: three of five copies may well go at once."""
SWEEP = "sweep"


@dataclass(frozen=True, kw_only=True)
class Hold:
    """What a sweep did not dare to erase."""

    held_at: datetime
    plan_hash: str
    valid_until: datetime
    copies: int
    size: int
    kept_in_all: int

    @property
    def says(self) -> str:
        return (
            f"{self.copies} of {self.kept_in_all} copies are due at once, more than a sweep erases unasked. Look at "
            f"`sweep --dry-run`; if it is right, `python -m core sweep --confirm {self.plan_hash}` runs it."
        )


def hold(svc: Services) -> Hold | None:
    """Whether a sweep is waiting for an operator."""
    with svc.reading() as session:
        row = session.get(SweepHold, SWEEP)
    if row is None:
        return None
    return Hold(
        held_at=row.held_at,
        plan_hash=row.plan_hash,
        valid_until=row.planned_at + plans.LIFE,
        copies=row.copies,
        size=row.size,
        kept_in_all=row.kept_in_all,
    )


def is_too_much(svc: Services, found: Plan, *, share_counts_from: int = SHARE_COUNTS_FROM) -> bool:
    share = found.by_clock > max(share_counts_from, svc.settings.sweep_cap_share * found.kept_in_all)
    return share or found.by_clock > svc.settings.sweep_cap


def note(svc: Services, found: Plan | None) -> None:
    """What is held, or that nothing is."""
    with svc.reading() as session:
        row = session.get(SweepHold, SWEEP)
    if found is None and row is None:
        return
    with svc.transaction() as session:
        take_turns(session)
        if found is None:
            session.execute(sa.delete(SweepHold).where(col(SweepHold.name) == SWEEP))
        elif row is None or row.planned_at <= svc.clock() - plans.LIFE / 2:  # else its hash is good for a while yet
            session.merge(
                SweepHold(
                    name=SWEEP,
                    held_at=row.held_at if row else svc.clock(),
                    plan_hash=found.hash,
                    planned_at=found.made_at,
                    copies=found.by_clock,
                    size=found.size,
                    kept_in_all=found.kept_in_all,
                )
            )
            if row is None:
                held = audit.Action.SWEEP_HELD
                audit.record(session, held, found.hash, at=svc.clock(), copies=found.by_clock)
