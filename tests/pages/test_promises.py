"""The promises page: every state as the public is told it, how it came to that, and what can be checked without us."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from core import audit, promises
from core.models import PromiseCheck, PromiseDay, PromiseState
from core.promises import PROMISES
from core.promises.shapes import says
from core.services import Services
from core.ui import pages
from core.ui.screens.promises import wording
from core.usage.words import percent
from tests.pages.conftest import Opened, Tab
from tests.provider.outsider import Outsider

PAGE = pages.PROMISES
KEPT, BROKEN, UNKNOWN = PromiseState.KEPT, PromiseState.BROKEN, PromiseState.UNKNOWN
FIRST = PROMISES[2]
pytestmark = pytest.mark.sqlite_only("tests of core/promises ask both what the page asks")


def measured(svc: Services, *, ago: timedelta = timedelta(minutes=3), **states: tuple[PromiseState, timedelta]) -> None:
    """All kept, but for those that are named: their state, and for how long."""
    now = svc.clock()
    with svc.transaction() as session:
        for promise in PROMISES:
            state, lasts = states.get(promise.id, (KEPT, timedelta(days=2)))
            session.merge(
                PromiseCheck(
                    promise=promise.id,
                    state=state,
                    figure=says("{n} of 7 & well", n=7).as_json(),
                    evidence=says("Looked at all of them.").as_json(),
                    checked_at=now - ago,
                    since=now - lasts,
                    broken_at=now - lasts if state is BROKEN else None,
                )
            )
            session.merge(PromiseDay(day=now.date(), promise=promise.id, state=state, n=12))


def chips(tab: Tab) -> Mapping[str, str]:
    """What is said of each promise, by its id."""
    items = re.findall(r'<li id="promise-(\w+)">(.*?)</details>', tab.drawn, re.DOTALL) or re.findall(
        r'id="promise-(\w+)"(.*?)</details>', tab.drawn, re.DOTALL
    )
    return {
        name: " ".join(re.findall(r'class="(ws-chip [^"]+)".*?<span>([^<]+)</span>', item)[0]) for name, item in items
    }


def test_all_kept_is_one_light_and_one_sentence(opened: Opened, svc: Services) -> None:
    measured(svc)
    tab = opened(PAGE)
    assert f"All {len(PROMISES)} promises hold. Checked 3 min ago." in tab.text
    assert 'class="ws-light ws-kept"' in tab.drawn
    assert set(chips(tab).values()) == {"ws-chip ws-kept Kept"} and len(chips(tab)) == len(PROMISES)
    assert "ws-off" not in tab.drawn


def test_before_anything_was_measured_nothing_is_green(opened: Opened) -> None:
    tab = opened(PAGE)
    assert "ws-kept" not in tab.drawn and "not measured yet" in tab.text
    assert set(chips(tab).values()) == {"ws-chip ws-unknown Not known"}


def test_broken_within_its_grace_is_being_looked_into(opened: Opened, svc: Services) -> None:
    measured(svc, **{FIRST.id: (BROKEN, FIRST.grace / 2)})
    tab = opened(PAGE)
    assert chips(tab)[FIRST.id] == "ws-chip ws-unknown Being looked into"
    assert "1 of" in tab.text and "cannot be vouched for" in tab.text
    assert "Off since" in tab.text and "until then the founders look at the cause" in tab.text
    assert "ws-light ws-unknown" in tab.drawn and "ws-light ws-kept" not in tab.drawn


def test_broken_for_longer_is_broken_in_public(opened: Opened, svc: Services) -> None:
    measured(svc, **{FIRST.id: (BROKEN, 2 * FIRST.grace)})
    tab = opened(PAGE)
    assert chips(tab)[FIRST.id] == "ws-chip ws-broken Broken"
    assert f"1 of {len(PROMISES)} promises is broken." in tab.text
    assert "Broken since" in tab.text and f'href="#promise-{FIRST.id}"' in tab.drawn
    assert "ws-light ws-broken" in tab.drawn


def test_unknown_is_never_green(opened: Opened, svc: Services) -> None:
    measured(svc, **{FIRST.id: (UNKNOWN, timedelta(hours=1))})
    tab = opened(PAGE)
    assert chips(tab)[FIRST.id] == "ws-chip ws-unknown Not known"
    assert "ws-light ws-unknown" in tab.drawn and "Not known since" in tab.text


def test_what_was_measured_too_long_ago_is_not_known(opened: Opened, svc: Services) -> None:
    measured(svc, ago=timedelta(hours=5))
    tab = opened(PAGE)
    assert set(chips(tab).values()) == {"ws-chip ws-unknown Not known"}
    assert "Nothing has been measured lately." in tab.text and "ws-off" not in tab.drawn
    assert "5 h ago" in tab.text and "not measured lately" in tab.text


def test_of_many_that_do_not_hold_the_broken_are_named_first(opened: Opened, svc: Services) -> None:
    off = {promise.id: (UNKNOWN, timedelta(hours=1)) for promise in PROMISES[:8]}
    measured(svc, **{**off, PROMISES[7].id: (BROKEN, timedelta(days=3))})
    named = opened(PAGE).drawn.partition('class="ws-off"')[2].partition("</ul>")[0]
    assert named.index("Broken") < named.index("Not known") and named.count("<a ") == 5
    assert "And 3 more, below." in named


def test_each_promise_says_how_it_is_measured_and_what_one_may_do(opened: Opened, svc: Services) -> None:
    measured(svc)
    tab = opened(PAGE)
    for promise in PROMISES:
        for words in (promise.filled(svc.settings), promise.measured, promise.reader_may, *promise.enforced_by):
            assert " ".join(words.split()) in tab.text, promise.id
    assert "7 of 7 & well" in tab.text and "7 of 7 &amp; well" in tab.drawn


def test_the_figures_are_those_of_the_last_round(opened: Opened, svc: Services) -> None:
    measured(svc)
    with svc.transaction() as session:
        _figure(session, "erased_by_the_clock", says("{late} past their clock", late=0))
        _figure(session, "gone_means_gone", says("gone {after} after", after="9 s"))
    tab = opened(PAGE)
    assert "0 images past their clock As promised" in tab.text
    assert "9 s after its clock the last test picture was gone Proved twice" in tab.text
    with svc.transaction() as session:
        _figure(session, "erased_by_the_clock", says("{late} past their clock", late=3))
    assert "3 images past their clock Overdue" in opened(PAGE).text


def _figure(session: Any, promise: str, figure: Any) -> None:
    session.get_one(PromiseCheck, promise).figure = figure.as_json()


def test_third_parties_are_named_with_their_clocks(opened: Opened, svc: Services) -> None:
    from dataclasses import replace

    assert "Nobody. The one engine here works on this server" in opened(PAGE).text
    tab = opened(PAGE, services=replace(svc, providers={"apimart": Outsider()}))
    assert "APIMart" in tab.text and "24 to 72 h" in tab.text and "Not known" in tab.text


def test_the_end_of_the_audit_log_is_there_to_be_written_down(opened: Opened, svc: Services) -> None:
    tab = opened(PAGE)
    with svc.reading() as session:
        head = audit.head_of(session)
    assert head.hash in tab.text and "if we ever show a log in which that entry has another hash" in tab.text


# ------------------------------------------------------------------------------------------------------------- history
def test_history_says_what_the_bars_show(svc: Services) -> None:
    now = svc.clock()
    measured(svc)
    with svc.transaction() as session:
        for back, state, n in ((1, KEPT, 287), (1, BROKEN, 1), (2, UNKNOWN, 5), (40, BROKEN, 9)):
            session.add(PromiseDay(day=(now - timedelta(days=back)).date(), promise=FIRST.id, state=state, n=n))
    stand = next(stand for stand in promises.stands(svc, now) if stand.promise is FIRST)
    assert wording.history(stand) == (
        "Measured on 3 days of the last 30; kept in 98.0 % of all checks. Broken on 1 day and not known for some time "
        "on 1 day."
    )
    bars = wording.bars(stand.days, now)
    assert len(bars) == 30 and [bar.rest for bar in bars[-4:]] == ["none", "unknown", "broken", "kept"]
    assert bars[-2].kept == 99, "a day that was not whole is never a hundred"


@pytest.mark.parametrize(("share", "said"), [(100.0, "100 %"), (99.99, "99.9 %"), (0.0, "0 %")])
def test_a_share_is_rounded_down(share: float, said: str) -> None:
    assert percent(share) == said
