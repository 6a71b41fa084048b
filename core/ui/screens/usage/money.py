"""
Money: how each third party stands, and how far its budgets are used up.

What a headshot costs is known, so an exact sum of a day would say how many were made: sums stand in the report, where
enough headshots lie behind them, and here a budget is told in quarters and a balance in whole dollars.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.ports import Provider
from core.provider import gate, residue, spending
from core.provider.spending import MILLION, Balance, Spent, Sum, dollars
from core.services import Services
from core.settings import Settings
from core.ui import widgets

NEARLY: Final = 0.75  # of a budget: said before it is used up
QUARTERS: Final = ("under a quarter", "a quarter to a half", "half to three quarters", "over three quarters")
FAILURE_SAYS: Final = {
    "provider_balance": "it says that our balance is used up",
    "provider_key": "it did not accept our key",
    "provider_failed": "it could not make a headshot",
    "unreachable": "it could not be reached",
    "no_channel": "it had nobody to make it",
    "keys_unavailable": "it could not look up whether it had been asked before",
    "in_doubt": "it gave no clear answer",
    "in_progress": "it gave no clear answer",
    "indeterminate": "it gave no clear answer",
    "task_unknown": "it did not know a headshot that it had taken",
}


@dataclass(frozen=True)
class Account:
    """All that may be told of one provider, at one instant."""

    title: str
    now: datetime
    settings: Settings
    spent: Spent
    balance: Balance | None
    provider: Provider | None  # None: it is no longer set up
    gate: gate.Stand | None


def providers(svc: Services, now: datetime, *, charged: bool) -> None:
    """`charged`: whether anything was, in the period that is looked at."""
    accounts = _accounts(svc, now)
    if not accounts and not charged:
        widgets.show(widgets.note("Everything is made on this server: nothing is charged.", "kept"))
    for account in accounts:
        _account(account)


def budgets(svc: Services) -> tuple[float | None, float | None]:
    """Of a day and of a month, in US dollars; None where there is none, or nobody to spend it."""
    if not svc.providers:
        return None, None
    return svc.settings.apimart_daily_budget_usd or None, svc.settings.apimart_monthly_budget_usd or None


def _accounts(svc: Services, now: datetime) -> list[Account]:
    with svc.reading() as session:
        names = sorted({*svc.providers, *spending.ever_charged(session)})
        return [
            Account(
                title=residue.title_of(svc, name),
                now=now,
                settings=svc.settings,
                spent=spending.spent(session, name, now),
                balance=spending.balance(session, name, svc.settings),
                provider=svc.providers.get(name),
                gate=gate.stand(session, svc.providers[name], now, svc.settings) if name in svc.providers else None,
            )
            for name in names
        ]


def _account(account: Account) -> None:
    if account.gate and account.balance and account.balance.is_low:
        widgets.show(_low(account))
    month, day = account.settings.apimart_monthly_budget_usd, account.settings.apimart_daily_budget_usd
    widgets.show(
        _state(account),
        widgets.figures(
            _left(account),
            _against(account, "today", account.spent.day, day),
            _against(account, "this month", account.spent.month, month),
        ),
        *_doubts(account),
    )


# ------------------------------------------------------------------------------------------------------ how it stands
def _low(account: Account) -> widgets.Html:
    warned_below = dollars(spending.micro(account.settings.apimart_balance_warning_usd))
    return widgets.problem(
        f"Less than {warned_below} is left at {account.title}.",
        f"When it is used up, {account.title} makes no more headshots; those made on this server go on.",
        f"Top it up at {account.title}. It is asked again every ten minutes.",
    )


def _state(account: Account) -> widgets.Html:
    """In words, whether it takes new headshots; if not, why and until when."""
    title, stand = account.title, account.gate
    if stand is None:
        return widgets.note(f"{title} is no longer set up. Nothing new is asked of it.")
    if stand.closed:
        return widgets.note(f"{title} is closed until {_until(account, stand)}: {_why(account, stand)}", "broken")
    if stand.failures:
        return widgets.note(f"{title} is open. {_failed(stand)} {_breaker(stand)}", "due")
    return widgets.note(f"{title} is open: it takes new headshots.", "kept")


def _until(account: Account, stand: gate.Stand) -> str:
    return widgets.instant(stand.until, now=account.now) if stand.until else "it answers again"


def _why(account: Account, stand: gate.Stand) -> str:
    if stand.closed == gate.AWAY:
        says = _failed(stand)
        return f"{says[0].lower()}{says[1:]} People are told, and offered the other engine. Then it is tried again."
    day = stand.closed == gate.BUDGET_DAY
    cap = account.settings.apimart_daily_budget_usd if day else account.settings.apimart_monthly_budget_usd
    return (
        f"the {dollars(spending.micro(cap))} that may be spent {'today' if day else 'this month'} leave no room for "
        "one more headshot. People are told, and offered the other engine."
    )


def _failed(stand: gate.Stand) -> str:
    because = FAILURE_SAYS.get(stand.failure or "", "it did not answer as it should")
    return f"It has failed, lately because {because}."


def _breaker(stand: gate.Stand) -> str:
    if stand.failures >= gate.FAILURES:
        return "It was closed for that, and is being tried again: one answer ends it, one more failure closes it."
    return f"After {gate.FAILURES} failures in a row it is closed for a while."


# -------------------------------------------------------------------------------------------------------- key figures
def _left(account: Account) -> widgets.Html:
    balance = account.balance
    what = f"left at {account.title}"
    if balance is None:
        return widgets.key_figure("–", what, change="it has not said yet", state="unknown")
    age = f"{_coarse(account, balance)} ago"
    if balance.amount is None:
        return widgets.key_figure("no limit", what, change=age, state="kept")
    word = f"low, {age}" if balance.is_low else age
    return widgets.key_figure(_rounded(balance.amount), what, change=word, state="due" if balance.is_low else "kept")


def _rounded(amount: int) -> str:
    """Whole dollars: the price of a headshot is a small part of one."""
    return f"about ${amount // MILLION:,}" if amount >= MILLION else "under $1"


def _coarse(account: Account, balance: Balance) -> str:
    """The largest unit that fits: an age is read at a glance."""
    return " ".join(widgets.length(account.now - balance.asked_at).split(" ")[:2])


def _against(account: Account, when: str, booked: Sum, cap: float) -> widgets.Html:
    """A budget counts what may have been charged, and what is under way, as the gate does."""
    if not cap:
        return widgets.key_figure("–", f"no budget is set for {when.removeprefix('this ')}")
    used = booked.at_most + (account.gate.coming if account.gate else 0)
    share = used / spending.micro(cap)
    state: widgets.State = "broken" if share >= 1 else "due" if share >= NEARLY else "kept"
    word = "used up" if share >= 1 else "nearly used up" if share >= NEARLY else "within the budget"
    counts = f"of {dollars(spending.micro(cap))} for {when}"
    if not _may_be_told(account, cap):
        return widgets.key_figure("–" if share < 1 else "all", counts, change="too few to say how much", state="info")
    return widgets.key_figure("all" if share >= 1 else QUARTERS[int(share * 4)], counts, change=word, state=state)


def _may_be_told(account: Account, cap: float) -> bool:
    """Whether a quarter of the budget buys enough headshots, that it says nothing of a few."""
    price = account.provider.price if account.provider else 0
    return spending.micro(cap) / 4 >= account.settings.small_count * price


def _doubts(account: Account) -> list[widgets.Html]:
    booked = account.spent.month
    if not booked.doubtful:
        return []
    few = booked.doubtful < account.settings.small_count
    shots = f"fewer than {account.settings.small_count} headshots" if few else f"{booked.doubtful:,} headshots"
    most = "" if few else f": up to {dollars(booked.possible)}"
    says = f"{account.title} may have charged for {shots} this month that we could not confirm{most}. Budgets count it."
    return [widgets.note(says, "unknown")]
