"""What pages count, and how My photos says it: the funnel, refusals and limits; nothing of who said no."""

from dataclasses import replace

import pytest

from core import access, retention
from core.errors import Busy, LimitReached, NotAllowed
from core.ports import Finding
from core.provider import gate
from core.ui import counting
from core.usage import words
from core.usage.metrics import STEPS
from tests.conftest import ANN, BOB
from tests.fakes import DrawingProvider
from tests.usage.told import told, told_of


def steps(svc):
    return [step for step in STEPS if ("step", step, "") in told(svc)]


def test_the_funnel_of_one_visit(svc, opened, draft, work):
    tab = opened()
    assert steps(svc) == ["visit"]
    draft()
    tab.run()
    assert steps(svc) == ["visit", "photo", "checks"]
    tab.agree().press("Generate headshots")
    assert steps(svc) == ["visit", "photo", "checks", "generate"]
    work()
    tab.run()
    assert tab.title == "Your headshots are ready"
    tab.run()
    tab.go("pages/guide.py")
    assert told_of(svc, "step") == {(step,): 1 for step in STEPS[:5]}
    assert sum(told_of(svc, "visit_device").values()) == sum(told_of(svc, "visit_language").values()) == 1
    opened(who=BOB)
    assert told_of(svc, "step")["visit",] == 2


@pytest.mark.parametrize("said", ["no", "signal", None, "whatever"])
def test_of_who_said_no_nothing_is_counted_at_all(svc, opened, draft, work, said):
    draft()
    tab = opened(counted=said).agree().press("Generate headshots")
    work()
    assert tab.run().title == "Your headshots are ready"
    assert told(svc) == {}


def test_a_photo_that_no_headshot_can_be_made_of_counts_once_by_its_reason(svc, opened, draft, engine):
    engine.examine = lambda portrait: [
        Finding(code="no_person", says="Nobody here.", blocking=True),
        Finding(code="dark", says="Dark."),
    ]
    draft()
    tab = opened().run().run()
    assert "Nobody here." in tab.text
    assert told_of(svc, "photo_refused") == {("no_person",): 1}
    assert "checks" not in steps(svc)


def test_a_used_up_day_counts_once_however_often_it_is_shown(svc, opened, draft, ask, limit_to):
    ask()
    draft()
    tab = opened(services=limit_to(runs_per_day=1)).run().run()
    assert "Today's 1 run is used up." in tab.text
    assert told_of(svc, "limit") == {("day",): 1}


@pytest.mark.parametrize(
    ("exc", "limit"),
    [
        (LimitReached("", code="limit_day"), "day"),
        (LimitReached("", code="limit_network"), "network"),
        (Busy(""), "busy"),
        (Busy("", code="provider_away"), "provider"),
        (NotAllowed("", code="provider_budget_day"), "provider"),
        (NotAllowed(""), None),
    ],
)
def test_each_limit_has_its_word(exc, limit):
    assert counting.limit_of(exc) == limit
    assert limit is None or limit in words.LIMITS


def test_a_network_that_made_many_is_met_at_the_button(svc, opened, draft, limit_to):
    svc.networks.seen(ANN, "192.0.2.1")
    svc.networks.spend(svc.networks.of(ANN), limit=1)
    draft()
    few = limit_to(runs_per_network_per_day=1)
    opened(services=few).agree().press("Generate headshots")
    assert told_of(few, "limit") == {("network",): 1}


def test_a_full_queue_is_met_at_the_button(svc, opened, draft, ask, limit_to):
    ask(who=BOB)
    draft()
    full = limit_to(queue_limit=1)
    opened(services=full).agree().press("Generate headshots")
    assert told_of(full, "limit") == {("busy",): 1}
    assert "generate" not in steps(full)


def test_an_engine_that_is_closed_counts_where_it_is_chosen(svc, opened, draft, clock):
    provider = DrawingProvider(clock)
    closed = replace(svc, providers={provider.name: provider}, engines={})
    with svc.transaction() as session:
        for _ in range(gate.FAILURES):
            gate.note_failure(session, provider.name, clock(), "away")
    draft()
    opened(services=closed).run()
    assert told_of(closed, "limit") == {("provider",): 1}


def test_whose_photos_a_quiet_browser_opens_is_not_counted_in_any(svc, opened, ask, work):
    run_id = ask()
    work()
    code, before = access.issue_claim_code(svc, ANN), told(svc)
    tab = opened("pages/my_photos.py", who=BOB, counted="signal")
    assert access.is_counted(svc, ANN)
    tab.at.text_input[0].set_value(code)
    tab.press("Open my photos")
    assert not access.is_counted(svc, ANN)
    retention.erase_run(svc, run_id)
    work()
    assert not told_of(svc, "erased")
    assert told_of(svc, "run") == {("on_device", "ready"): 1} and ("run", "on_device", "ready") in before


def test_a_browser_that_begins_to_say_no_is_heeded_with_its_next_page(svc, opened, ask):
    ask()
    opened()
    assert access.is_counted(svc, ANN)
    opened(counted="signal")
    assert not access.is_counted(svc, ANN)


# ----------------------------------------------------------------------------------------------------------- My photos
def test_my_photos_says_it_also_where_there_are_none(opened):
    tab = opened("pages/my_photos.py", counted="yes")
    assert "This browser is counted" in tab.text
    assert 'action="/counting/no"' in tab.drawn
    assert "/counting/ga" not in tab.drawn
    assert "nobody knows" in tab.text


def test_it_says_what_is_so(opened, svc, ask):
    tab = opened("pages/my_photos.py", counted="no")
    assert "This browser is not counted" in tab.text
    assert 'action="/counting/yes"' in tab.drawn
    tab = opened("pages/my_photos.py", counted="signal")
    assert "Your browser asks not to be counted, and is not" in tab.text
    assert "/counting/" not in tab.drawn

    ask()
    access.stop_counting(svc, ANN)
    tab = opened("pages/my_photos.py", counted="yes")
    assert "stay uncounted" in tab.text


def test_google_is_offered_where_it_is_set_up_and_named(opened, limit_to):
    agreed = limit_to(ga4_measurement_id="G-ABCD123456")
    tab = opened("pages/my_photos.py", counted="yes", services=agreed)
    assert 'action="/counting/ga"' in tab.drawn
    assert "Google (Google Analytics 4)" in tab.text
    tab = opened("pages/my_photos.py", counted="ga", services=agreed)
    assert 'action="/counting/yes"' in tab.drawn
    assert 'action="/counting/no"' in tab.drawn
