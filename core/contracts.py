"""
Contracts: how long a run's images live.

A contract is chosen before the run, its clock starts when the photo was added, and from then on it can only
become shorter. There is one instant per run, printed on its card; no "unless saved", no "while active".

`Terms` is what is offered under the settings in force. No clock is longer than their LONGEST_DAYS, whatever its
contract is called: with 14 the contract `30d` ends after 14 days, and is shown and promised as "14 days".
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from core.language import _, n_

PROCESS_HEADSHOTS_KEPT = timedelta(hours=1)
"""`process`: the portrait goes when the run ends; its headshots stay this long, so that they can be downloaded."""

NO_MARGIN_UP_TO = timedelta(hours=24)


class Contract(StrEnum):
    PROCESS = "process"
    HOUR = "1h"
    DAY = "24h"
    THREE_DAYS = "72h"
    WEEK = "7d"
    MONTH = "30d"

    @property
    def keep_for(self) -> timedelta:
        """From the upload to the instant at which the portrait is erased, at the latest."""
        return _KEEP_FOR[self]

    @property
    def label(self) -> str:
        """In the reader's language."""
        if self is Contract.PROCESS:
            return _("Not kept")
        return _hours(self.keep_for) if self.keep_for <= _SAID_IN_HOURS else _days(self.keep_for // _DAY)

    def no_longer_than(self, longest: "Contract") -> bool:
        return self.keep_for <= longest.keep_for and (longest is not Contract.PROCESS or self is longest)


_KEEP_FOR = {
    Contract.PROCESS: timedelta(hours=1),
    Contract.HOUR: timedelta(hours=1),
    Contract.DAY: timedelta(hours=24),
    Contract.THREE_DAYS: timedelta(hours=72),
    Contract.WEEK: timedelta(days=7),
    Contract.MONTH: timedelta(days=30),
}
_DAY = timedelta(days=1)
_SAID_IN_HOURS = timedelta(hours=72)


def _hours(length: timedelta) -> str:
    return n_("{n} hour", "{n} hours", length // timedelta(hours=1))


def _days(number: int) -> str:
    return n_("{n} day", "{n} days", number)


def offered(longest: Contract) -> list[Contract]:
    """What a person may choose from, shortest first."""
    return [contract for contract in Contract if contract.no_longer_than(longest)]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The contracts under the settings in force."""

    longest: Contract
    longest_days: int
    early: timedelta

    @property
    def offered(self) -> list[Contract]:
        """What a person may choose from, shortest first. Of two that end alike the one that is called so."""
        asked = offered(self.longest)
        lengths = [self.keep_for(contract) for contract in asked]
        is_new = (at < 2 or lengths[at] > lengths[at - 1] for at in range(len(asked)))  # `process` ends like `1h`
        return [contract for contract, new in zip(asked, is_new, strict=True) if new]

    @property
    def longest_label(self) -> str:
        """How long anything is kept at most, as it is said to people."""
        last = self.offered[-1]
        if self.longest_clock > self.keep_for(last):  # headshots of `process` stay for an hour after their photo
            return _hours(self.longest_clock)
        return self.label(last)

    def offers(self, wanted: Contract) -> Contract:
        """That one, or the longest there is where that is shorter."""
        return wanted if wanted in self.offered else self.offered[-1]

    def keep_for(self, contract: Contract) -> timedelta:
        return min(contract.keep_for, timedelta(days=self.longest_days))

    def label(self, contract: Contract) -> str:
        if contract.keep_for == self.keep_for(contract):
            return contract.label
        return _days(self.longest_days) if self.longest_days > 1 else Contract.DAY.label

    def clock(self, contract: Contract) -> timedelta:
        """From the upload to the instant that is printed and kept. Long contracts end early, so that the promise of
        `keep_for` holds though every worker was down for so long; of 24 hours and less nobody could spare it."""
        kept = self.keep_for(contract)
        return kept - self.early if kept > NO_MARGIN_UP_TO else kept

    def run_by(self, contract: Contract, uploaded_at: datetime) -> datetime:
        """The last instant at which anything of a run may exist. Under `process` its end moves this forward."""
        extra = PROCESS_HEADSHOTS_KEPT if contract is Contract.PROCESS else timedelta(0)
        return uploaded_at + self.clock(contract) + extra

    @property
    def longest_clock(self) -> timedelta:
        """The longest that anything of a run exists by our own clock."""
        return max(self.run_by(contract, _ANY_DAY) - _ANY_DAY for contract in self.offered)


_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)
