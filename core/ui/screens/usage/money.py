"""Money: what third parties have charged, against the budgets, what is left there, and what nobody can know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import streamlit as st

from core.provider import gate, residue, spending
from core.provider.spending import Balance, Day, Spent, Sum, dollars
from core.services import Services
from core.settings import Settings
from core.ui import charts, widgets

CHARTED: Final = timedelta(days=30)
NEARLY: Final = 0.8  # of a budget: said before it is used up
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
    """All that is known of one provider, at one instant."""

    title: str
    now: datetime
    settings: Settings
    spent: Spent
    balance: Balance | None
    gate: gate.Stand | None  # None: it is no longer set up
    ready: int  # this month
    days: Sequence[Day]
    ever: bool


def money(svc: Services, now: datetime) -> None:
    accounts = _accounts(svc, now)
    if not accounts:
        widgets.show(widgets.note("Everything is made on this server: nothing is charged.", "kept"))
    for account in accounts:
        _account(account)
    if any(account.ever for account in accounts):
        take = widgets.DownloadLink(label="CSV", href="/ops/spending.csv", filename="spending.csv", detail="all days")
        widgets.show(widgets.links([take]))


def _accounts(svc: Services, now: datetime) -> list[Account]:
    with svc.reading() as session:
        charged = spending.ever_charged(session)
        names = sorted({*svc.providers, *charged})
        return [
            Account(
                title=residue.title_of(svc, name),
                now=now,
                settings=svc.settings,
                spent=spending.spent(session, name, now),
                balance=spending.balance(session, name, svc.settings),
                gate=gate.stand(session, svc.providers[name], now, svc.settings) if name in svc.providers else None,
                ready=spending.ready_this_month(session, name, now),
                days=spending.days(session, name, start=now - CHARTED + timedelta(days=1), now=now),
                ever=name in charged,
            )
            for name in names
        ]


def _account(account: Account) -> None:
    st.header(f"What {account.title} costs", anchor=False)
    if account.gate and account.balance and account.balance.is_low:
        widgets.show(_low(account, account.balance))
    widgets.show(
        _state(account),
        widgets.figures(
            _left(account),
            _against(account, "charged today", account.spent.day, account.settings.apimart_daily_budget_usd),
            _against(account, "charged this month", account.spent.month, account.settings.apimart_monthly_budget_usd),
            _each(account),
        ),
        *_doubts(account),
    )
    _by_day(account)


# ------------------------------------------------------------------------------------------------------ how it stands
def _low(account: Account, balance: Balance) -> widgets.Html:
    warned_below = dollars(spending.micro(account.settings.apimart_balance_warning_usd))
    return widgets.problem(
        f"{dollars(balance.amount or 0)} is left at {account.title}.",
        f"That is less than {warned_below}. When it is used up, {account.title} makes no more headshots; those made "
        "on this server go on.",
        f"Top it up at {account.title}. It is asked again every ten minutes.",
    )


def _state(account: Account) -> widgets.Html:
    """In words, whether it takes new headshots; if not, why and until when."""
    title, stand = account.title, account.gate
    if stand is None:
        return widgets.note(f"{title} is no longer set up. Nothing new is asked of it, and this is what it cost.")
    if stand.closed:
        return widgets.note(f"{title} is closed until {_until(account, stand)}: {_why(account, stand)}", "broken")
    if stand.failures:
        return widgets.note(f"{title} is open. {_failed(stand)} {_breaker(stand)}", "due")
    on_its_way = ""
    if stand.under_way:
        shots = widgets.count(stand.under_way, "headshot")
        on_its_way = f" Under way: {shots}, {dollars(stand.coming)} at list price."
    return widgets.note(f"{title} is open: it takes new headshots.{on_its_way}", "kept")


def _until(account: Account, stand: gate.Stand) -> str:
    return widgets.instant(stand.until, now=account.now) if stand.until else "it answers again"


def _why(account: Account, stand: gate.Stand) -> str:
    if stand.closed == gate.AWAY:
        says = _failed(stand)
        return f"{says[0].lower()}{says[1:]} People are told, and offered the other engine. Then it is tried again."
    day = stand.closed == gate.BUDGET_DAY
    cap = account.settings.apimart_daily_budget_usd if day else account.settings.apimart_monthly_budget_usd
    which = "today" if day else "this month"
    return (
        f"the {dollars(spending.micro(cap))} that may be spent {which} leave no room for one more headshot"
        f"{' beside what is under way' if stand.under_way else ''}. People are told, and offered the other engine."
    )


def _failed(stand: gate.Stand) -> str:
    """`It has failed 3 times in a row, the last time because it could not be reached.`"""
    times = "once" if stand.failures == 1 else f"{stand.failures:,} times in a row"
    because = FAILURE_SAYS.get(stand.failure or "", "it did not answer as it should")
    return f"It has failed {times}, lately because {because}."


def _breaker(stand: gate.Stand) -> str:
    if stand.failures >= gate.FAILURES:
        return "It was closed for that, and is being tried again: one answer ends it, one more failure closes it."
    return f"After {gate.FAILURES} in a row it is closed for a while."


# -------------------------------------------------------------------------------------------------------- key figures
def _left(account: Account) -> widgets.Html:
    balance = account.balance
    what = f"left at {account.title}"
    if balance is None:
        return widgets.key_figure("–", what, change="it has not said yet", state="unknown")
    age = f"{_coarse(account.now - balance.asked_at)} ago"
    if balance.amount is None:
        return widgets.key_figure("no limit", what, change=age, state="kept")
    word = f"low, {age}" if balance.is_low else age
    return widgets.key_figure(dollars(balance.amount), what, change=word, state="due" if balance.is_low else "kept")


def _against(account: Account, what: str, booked: Sum, cap: float) -> widgets.Html:
    """A budget counts what may have been charged, and what is under way, as the gate does."""
    number = dollars(booked.charged)
    if not cap:
        return widgets.key_figure(number, what, change="no budget is set", state="info")
    used = booked.at_most + (account.gate.coming if account.gate else 0)
    share = used / spending.micro(cap)
    state: widgets.State = "broken" if share >= 1 else "due" if share >= NEARLY else "kept"
    word = f"{min(100 * share, 999):.0f} % of {dollars(spending.micro(cap))}"
    return widgets.key_figure(number, what, change=word, state=state)


def _each(account: Account) -> widgets.Html:
    """All that was charged this month, also for what came to nothing, by the headshots that people got."""
    month, what = account.spent.month, "for each ready headshot this month"
    if not account.ready:
        return widgets.key_figure("–", what, change="none is ready yet", state="unknown" if month.charged else None)
    ready = f"{account.ready:,} ready, {month.headshots:,} charged"
    return widgets.key_figure(dollars(round(month.charged / account.ready)), what, change=ready)


def _doubts(account: Account) -> list[widgets.Html]:
    """Of the day and of the month, which says nothing new where all of it is of today."""
    day, month = account.spent.day, account.spent.month
    said = [("today", day)] if day.doubtful else []
    if month.doubtful > day.doubtful:
        said.append(("this month", month))
    if not said:
        return []
    shots = " and ".join(f"{widgets.count(booked.doubtful, 'headshot')} {when}" for when, booked in said)
    most = " and ".join(dollars(booked.possible) for _, booked in said)
    says = f"{account.title} may have charged for {shots} that we could not confirm: up to {most}. Budgets count it."
    return [widgets.note(says, "unknown")]


# --------------------------------------------------------------------------------------------------------- day by day
def _by_day(account: Account) -> None:
    spent = [one for one in account.days if one.sum.at_most or one.sum.headshots or one.sum.doubtful]
    if not spent:
        says = f"Nothing was charged in the last {CHARTED.days} days." if account.ever else "Nothing was charged yet."
        widgets.show(widgets.note(says))
        return
    st.subheader("Cost per day", anchor=False)
    chart, numbers = st.columns([3, 2], gap="medium")
    with chart:
        _as_bars(account)
    with numbers:
        _as_numbers(account)
    widgets.show(widgets.quiet(f"The last {CHARTED.days} days, in UTC. Charged is what {account.title} says."))


def _as_bars(account: Account) -> None:
    days = account.days
    series = [charts.Series("charged", [_usd(one.sum.charged) for one in days], 0)]
    if any(one.sum.possible for one in days):
        series.append(charts.Series("not confirmed", [_usd(one.sum.possible) for one in days], 1))
    figure = charts.stacked_bars(
        [_day(one.day) for one in days],
        series,
        unit="US dollars",
        which=charts.theme(),
        number=lambda amount: dollars(spending.micro(amount)),
    )
    charts.draw(figure, key=f"usage-cost-{account.title}", alt=_in_words(account))


def _in_words(account: Account) -> str:
    most = max(account.days, key=lambda one: one.sum.at_most)
    charged, possible = (sum(getattr(one.sum, name) for one in account.days) for name in ("charged", "possible"))
    doubt = f" and up to {dollars(possible)} not confirmed" if possible else ""
    return (
        f"What {account.title} charged on each of the last {CHARTED.days} days (UTC): {dollars(charged)} in all{doubt}"
        f", most on {_day(most.day)} with {dollars(most.sum.at_most)}."
    )


def _as_numbers(account: Account) -> None:
    latest = list(reversed(account.days))
    amount = st.column_config.NumberColumn(format="%.4f")
    st.dataframe(
        {
            "day": [_day(one.day) for one in latest],
            "charged, USD": [_usd(one.sum.charged) for one in latest],
            "headshots": [one.sum.headshots for one in latest],
            "in doubt, USD": [_usd(one.sum.possible) for one in latest],
            "doubtful": [one.sum.doubtful for one in latest],
        },
        hide_index=True,
        height=340,
        column_config={"charged, USD": amount, "in doubt, USD": amount},
        alt="The same numbers as in the chart, a row for each day (UTC), the latest first",
    )


def _usd(amount: int) -> float:
    return amount / spending.MILLION


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _coarse(span: timedelta) -> str:
    """The largest unit that fits: an age is read at a glance."""
    return " ".join(widgets.length(span).split(" ")[:2])
