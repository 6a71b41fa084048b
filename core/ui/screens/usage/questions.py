"""The five questions of the page, and the charts that answer each."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import streamlit as st

from core.provider.spending import dollars, micro
from core.services import Services
from core.ui.screens.usage import kinds, money
from core.ui.screens.usage.frame import Page
from core.ui.screens.usage.kinds import funnel, hours, listed, outcomes, over_time, side_by_side, spread

QUESTIONS: Final = {
    "succeed": "Do people succeed, and where do they stop?",
    "fast": "How fast is it?",
    "cost": "What does it cost?",
    "promises": "Did we keep our promises?",
    "choices": "What do people choose, and when?",
}
SHOW: Final = "show"
_KEY: Final = "usage-question"
LATEST_TICKET: Final = 48 * 3600


def asked() -> str:
    """Which question is looked at: one at a time, so that a phone has little to draw. It is in the address, too."""
    said = st.query_params.get(SHOW, "")
    st.session_state[_KEY] = said if said in QUESTIONS else next(iter(QUESTIONS))
    st.pills("Questions", list(QUESTIONS), key=_KEY, format_func=QUESTIONS.__getitem__, required=True,
             label_visibility="collapsed", on_change=_ask)  # fmt: skip
    return str(st.session_state[_KEY])


def _ask() -> None:
    st.query_params[SHOW] = st.session_state[_KEY]


def answer(svc: Services, page: Page, question: str) -> None:
    st.header(QUESTIONS[question], anchor=False)
    _ANSWERS[question](svc, page)


def _do_people_succeed(svc: Services, page: Page) -> None:
    over_time(page, page.table("visits_by_day"), of="visits")
    side_by_side(page, [(funnel, "funnel"), (listed, "limits")], [(outcomes, "outcomes"), (listed, "refusals")])


def _how_fast(svc: Services, page: Page) -> None:
    side_by_side(page, [(spread, "latency"), (spread, "queue_wait")], [(_far_apart, "stages")])


def _promises_kept(svc: Services, page: Page) -> None:
    side_by_side(
        page,
        [(kinds.promises, "promises"), (_tickets, "ticket_times"), (listed, "tickets"), (listed, "ticket_ends")],
        [(_far_apart, "gone_times"), (listed, "gone"), (listed, "contracts"), (listed, "shortened")],
    )
    _stored(page)


def _choices(svc: Services, page: Page) -> None:
    side_by_side(
        page,
        [(hours, "hours"), (listed, "styles"), (listed, "purposes")],
        [(listed, "devices"), (listed, "languages"), (listed, "downloads"), (listed, "operators")],
    )


def costs(svc: Services, page: Page) -> None:
    """How providers stand is told whatever was counted."""
    charged = bool(page.table("cost_by_month").rows)
    money.providers(svc, page.report.as_of, charged=charged)
    if charged:
        _spent(svc, page)


def _spent(svc: Services, page: Page) -> None:
    """By day as long as there are days; what one headshot cost, beside it."""
    day, month = money.budgets(svc)
    by_day, by_month = page.table("cost_by_day"), page.table("cost_by_month")
    if page.report.period.is_by_day:
        over_time(page, by_day, of="cost", limit=day, says=_budget(day, "day"))
    each = replace(
        by_month,
        id="cost_each",
        title="Cost of a headshot",
        says="All that an engine said that it charged in a month, by the headshots that it made.",
    )
    with_month, with_each = st.columns(2, gap="large")
    with with_month:
        over_time(page, by_month, of="cost", limit=month, says=_budget(month, "month"))
    with with_each:
        over_time(page, each, of="each", stacked=False, file="cost_by_month")
        spread(page, "run_costs")


def _budget(amount: float | None, when: str) -> str:
    return f"budget {dollars(micro(amount))} a {when}" if amount else ""


def _stored(page: Page) -> None:
    """In units that an axis can bear."""
    table = page.table("storage")
    top = max((cell for *_, cell in table.rows if isinstance(cell, int | float)), default=0)
    name, of = next(((name, of) for name, of in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)) if top >= of), ("bytes", 1))
    rows = tuple((*words, cell / of if isinstance(cell, int | float) else None) for *words, cell in table.rows)
    over_time(page, replace(table, unit="", rows=rows, columns=("when", "kind", name)), of=name)


def _far_apart(page: Page, name: str) -> None:
    kinds.spread(page, name, log=True)


def _tickets(page: Page, name: str) -> None:
    kinds.spread(page, name, limit=LATEST_TICKET)


_ANSWERS: Final[Mapping[str, Callable[[Services, Page], None]]] = {
    "succeed": _do_people_succeed,
    "fast": _how_fast,
    "cost": costs,
    "promises": _promises_kept,
    "choices": _choices,
}
