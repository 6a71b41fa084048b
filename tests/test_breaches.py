"""Breaches: a clock of 72 hours, deeds that happen once, drafts without holes that nobody sees, and who hears of it."""

import json
from datetime import timedelta

import pytest
from sqlmodel import select

from core import alerts, audit, breaches, jobs
from core.breaches import register, shout
from core.breaches.shout import LOOKED_AT_EVERY, watch
from core.errors import NotAllowed
from core.exposure import DATABASE, MASTER_KEY, STORE
from core.language import NAMES, speaking
from core.models import AuditEntry, Breach, BreachKind, BreachOutcome, JobKind, new_id
from core.policy import numbers
from core.promises.checks.house import breach_notice
from core.promises.shapes import PromiseState
from tests.conftest import on_all_threads

FOUNDER = "operator:one"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEXTS = {"en": "Somebody got in.", "de": "Jemand kam herein."}


@pytest.fixture
def noted(svc):
    def note(kind: BreachKind = BreachKind.SERVER, *, ago: timedelta = HOUR, press_id: str = "", by=svc) -> Breach:
        at = by.clock() - ago
        return breaches.note(by, kind=kind, noticed_at=at, press_id=press_id or new_id(), actor=FOUNDER)

    return note


def stored(svc, breach: Breach) -> Breach:
    with svc.reading() as session:
        return session.get_one(Breach, breach.id)


def entries(svc) -> list[tuple[str, dict]]:
    with svc.reading() as session:
        rows = session.exec(select(AuditEntry).where(AuditEntry.action.startswith("breach:"))).all()
    return [(row.action.removeprefix("breach:"), audit.facts_of(row)) for row in rows]


# ------------------------------------------------------------------------------------------------------------- deeds
def test_its_clock_starts_when_it_was_noticed(svc, noted):
    breach = stored(svc, noted(ago=5 * HOUR))
    assert breach.due_at == svc.clock() + 67 * HOUR and breach.noted_at == svc.clock()
    assert breach.noted_by == "one" and breach.number.startswith("B-")
    assert entries(svc) == [("noted", {"kind": "server"})]
    assert breaches.TOLD_WITHIN == numbers.BREACH_HOURS * HOUR, "as the policy says"


def test_what_lay_open_is_kept_and_names_nobody(svc, noted, given_copy):
    copy = given_copy(ends_in=9 * DAY)
    breach = stored(svc, noted())
    found = breaches.exposure_of(breach)
    assert (found.people, found.images.copies, found.at) == (1, 1, svc.clock())
    assert copy.id not in breach.exposure and copy.subject_id not in breach.exposure


def test_a_double_press_is_one(svc, noted):
    assert noted(press_id="p").id == noted(press_id="p").id
    assert len({breach.id for breach in on_all_threads(lambda: noted(press_id="q"), times=3)}) == 1
    with svc.reading() as session:
        assert len(breaches.all_of_them(session)) == 2


@pytest.mark.parametrize(("ago", "says"), [(-HOUR / 3600, "in the future"), (30 * DAY + HOUR / 3600, "30 days ago")])
def test_when_it_was_noticed_must_be_likely(svc, noted, ago, says):
    with pytest.raises(NotAllowed, match=says):
        noted(ago=ago)
    assert noted(ago=timedelta(0)) and noted(ago=30 * DAY)


def test_the_authority_is_told_once_and_not_in_the_future(svc, noted, clock):
    breach = noted()
    for at in (svc.clock() + HOUR, svc.clock() - 2 * HOUR):
        with pytest.raises(NotAllowed):
            breaches.authority_told(svc, breach.id, at=at, actor=FOUNDER)
    first = svc.clock()
    breaches.authority_told(svc, breach.id, at=first, actor=FOUNDER)
    clock.advance(hours=1)
    breaches.authority_told(svc, breach.id, at=svc.clock(), actor=FOUNDER)
    assert stored(svc, breach).authority_told_at == first
    assert entries(svc)[1:] == [("authority_told", {"in_time": True})]


@pytest.mark.parametrize(
    "texts", [{"en": "x"}, {"en": "x", "de": " "}, {"en": "x", "de": "[ergänzen]"}, {"en": "x" * 1501, "de": "x"}]
)
def test_what_is_not_fit_to_be_read_is_not_published(svc, noted, texts):
    breach = noted()
    with pytest.raises(NotAllowed):
        breaches.tell_people(svc, breach.id, texts, actor=FOUNDER)
    assert stored(svc, breach).people_told_at is None


def test_what_people_were_told_does_not_change(svc, noted, clock):
    breach = noted()
    breaches.tell_people(svc, breach.id, TEXTS, actor=FOUNDER)
    breaches.tell_people(svc, breach.id, {"en": "Nothing.", "de": "Nichts."}, actor=FOUNDER)
    assert breaches.notice_of(stored(svc, breach)) == TEXTS
    assert [name for name, _ in entries(svc)] == ["noted", "people_told"]


def test_it_ends_once_and_told_only_when_told(svc, noted):
    breach = noted()
    with pytest.raises(NotAllowed, match="told first"):
        breaches.close(svc, breach.id, outcome=BreachOutcome.TOLD, actor=FOUNDER)
    breaches.authority_told(svc, breach.id, at=svc.clock(), actor=FOUNDER)
    breaches.tell_people(svc, breach.id, TEXTS, actor=FOUNDER)
    breaches.close(svc, breach.id, outcome=BreachOutcome.TOLD, actor=FOUNDER)
    for deed in (
        lambda: breaches.close(svc, breach.id, outcome=BreachOutcome.NONE, actor=FOUNDER),
        lambda: breaches.authority_told(svc, breach.id, at=svc.clock(), actor=FOUNDER),
        lambda: breaches.tell_people(svc, breach.id, TEXTS, actor=FOUNDER),
    ):
        with pytest.raises(NotAllowed, match="closed"):
            deed()
    assert entries(svc)[-1] == ("closed", {"outcome": "told"}) and audit.verify(svc).well


def test_open_ones_come_first_by_when_they_are_due(svc, noted):
    late, soon, over = noted(ago=HOUR), noted(ago=9 * HOUR), noted(ago=3 * HOUR)
    breaches.close(svc, over.id, outcome=BreachOutcome.NONE, actor=FOUNDER)
    with svc.reading() as session:
        assert [breach.id for breach in breaches.all_of_them(session)] == [soon.id, late.id, over.id]


# ------------------------------------------------------------------------------------------------------------ notices
def draft(svc, breach: Breach, language: str) -> str:
    found = breaches.exposure_of(breach)
    with speaking(language):
        return breaches.for_the_authority(breach, svc.settings, then=found, now=found)


@pytest.mark.parametrize("kind", BreachKind)
def test_every_kind_has_its_drafts_and_marks_what_only_a_person_knows(svc, noted, kind):
    breach = noted(kind)
    text = draft(svc, breach, "en")
    for part in (
        "1. What happened",
        "2. Whose data",
        "3. Who can be asked",
        "4. What it is likely",
        "5. What was done",
    ):
        assert part in text
    assert breach.number in text and "[to fill in" in text and "{" not in text
    people = breaches.for_people(breach, svc.settings, then=breaches.exposure_of(breach))
    assert "[to fill in]" in people and "Erase" not in people.split("[")[0] and len(people) < breaches.MOST_CHARACTERS


def test_what_is_known_is_filled_in(svc, noted, limit_to, given_copy):
    given_copy(ends_in=9 * DAY)
    own = limit_to(authority="LfDI", run_by="Ann Ltd", privacy_contact="privacy@example.org")
    breach = noted(BreachKind.BUCKET)
    found = breaches.exposure_of(breach)
    text = breaches.for_the_authority(breach, own.settings, then=found, now=found)
    for known in ("To: LfDI", "From: Ann Ltd", "privacy@example.org", "1 person", "1 image", "30 days"):
        assert known in text
    assert "Noticed: 2 March 2026, 11:00:00 UTC. Noted: 2 March 2026, 12:00:00 UTC." in text


@pytest.mark.parametrize("kind", [BreachKind.DATABASE, BreachKind.KEYS])
def test_all_that_the_master_key_opens_in_the_database_is_named(svc, noted, kind):
    text = draft(svc, noted(kind), "en")
    for what in ("open requests", "waiting mails", "reports", "wishes", "addresses at third parties"):
        assert what in text.split("4. What it is likely")[1]


def test_instants_are_said_as_the_language_says_them(svc, noted):
    breach = noted()
    assert "2 March 2026, 11:00:00 UTC." in draft(svc, breach, "en")
    assert "2. März 2026, 11:00:00 Uhr UTC." in draft(svc, breach, "de")


def test_what_lies_in_one_folder_is_told_as_such(svc, noted):
    breach = noted(BreachKind.BUCKET)
    found = breaches.exposure_of(breach)
    assert found.together == (STORE, DATABASE, MASTER_KEY)
    assert "lie in one folder" in draft(svc, breach, "en")
    people = breaches.for_people(breach, svc.settings, then=found)
    assert "could be seen" in people and "cannot be opened" not in people


def test_a_notice_that_is_late_says_why(svc, noted, clock):
    breach = noted()
    assert "comes after the 72 hours" not in draft(svc, breach, "en")
    clock.advance(hours=80)
    found = breaches.exposure_of(breach)
    from dataclasses import replace

    text = breaches.for_the_authority(breach, svc.settings, then=found, now=replace(found, at=svc.clock()))
    assert "comes after the 72 hours" in text and "because: [to fill in]" in text


@pytest.mark.parametrize("kind", BreachKind)
def test_both_drafts_are_german_for_those_who_read_it(svc, noted, kind):
    breach = noted(kind)
    english, german = draft(svc, breach, "en"), draft(svc, breach, "de")
    same = set(english.splitlines()) & set(german.splitlines()) - {""}
    assert same <= set(), "a line that nobody has translated"
    assert "[bitte ergänzen" in german and "{" not in german and "[to fill in" not in german
    with speaking("de"):
        people = breaches.for_people(breach, svc.settings, then=breaches.exposure_of(breach))
    assert people.startswith("Am 2. März 2026") and "[to fill in" not in people
    assert len(people) < breaches.MOST_CHARACTERS


# ------------------------------------------------------------------------------------------------------------ told
class Duty:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.is_there = True

    def tell(self, title: str, text: str) -> bool:
        self.told += [(title, text)] if self.is_there else []
        return self.is_there

    def check(self) -> tuple[int, int]:
        return 1, 1


@pytest.fixture
def duty(svc):
    from dataclasses import replace

    people = Duty()
    return people, replace(svc, notify=people)


def test_people_on_duty_hear_of_it_at_once_and_before_its_time_is_over(duty, noted, clock):
    people, svc = duty
    breach = noted(by=svc, ago=timedelta(0))
    heard = []
    for hours in range(80):
        if breaches.tell(svc, svc.clock()):
            heard.append(hours)
        clock.advance(hours=1)
    assert heard == [0, 48, 66, 71, 73]
    titles = [title for title, _ in people.told]
    assert titles == ["WorkShot: 1 breach to be told"] * 4 + ["WorkShot: 1 breach to be told, 1 overdue"]
    assert f"{breach.number} (server): 72 h 0 min left to tell the authority and people" in people.told[0][1]
    assert [facts["threshold"] for name, facts in entries(svc) if name == "alerted"] == [
        "new",
        "24h",
        "6h",
        "1h",
        "breached",
    ]


def test_noting_wakes_whoever_tells(duty, noted):
    people, svc = duty
    noted(by=svc)
    worker = jobs.Worker(svc)
    assert worker.look((JobKind.ALERTS,)) and len(people.told) == 1
    assert alerts.tell(svc, svc.clock()) == 0


def test_until_somebody_is_reached_it_is_tried_again(duty, noted, clock):
    people, svc = duty
    noted(by=svc)
    people.is_there = False
    assert breaches.tell(svc, svc.clock()) == 0
    people.is_there = True
    assert breaches.tell(svc, svc.clock()) == 0, "who did not hear is not asked at every look"
    clock.advance(minutes=2)
    assert breaches.tell(svc, svc.clock()) == 1 and breaches.tell(svc, svc.clock()) == 0


def test_nobody_is_reminded_of_what_is_told(duty, noted, clock):
    people, svc = duty
    breach = noted(by=svc)
    breaches.authority_told(svc, breach.id, at=svc.clock(), actor=FOUNDER)
    breaches.tell(svc, svc.clock())
    assert "left to tell people, due" in people.told[0][1]
    breaches.tell_people(svc, breach.id, TEXTS, actor=FOUNDER)
    clock.advance(hours=80)
    assert breaches.tell(svc, svc.clock()) == 0


# ------------------------------------------------------------------------------------------------------------ shown
def told_now(svc, seen_by, language="en"):
    with speaking(language):
        return shout.told_now(svc, seen_by)


def test_every_page_says_so_until_a_month_after_its_end(svc, noted, clock):
    breach = noted()
    assert told_now(svc, watch()) == ""
    breaches.tell_people(svc, breach.id, TEXTS, actor=FOUNDER)
    assert [told_now(svc, watch(), language) for language in NAMES] == list(TEXTS.values())
    clock.advance(days=90)
    assert told_now(svc, watch()) == TEXTS["en"], "it is open still"
    breaches.authority_told(svc, breach.id, at=svc.clock(), actor=FOUNDER)
    breaches.close(svc, breach.id, outcome=BreachOutcome.TOLD, actor=FOUNDER)
    clock.advance(days=30, seconds=-1)
    assert told_now(svc, watch()) == TEXTS["en"]
    clock.advance(seconds=1)
    assert told_now(svc, watch()) == ""


def test_what_turned_out_to_be_none_is_told_as_long_and_says_so(svc, noted, clock):
    breach = noted()
    breaches.tell_people(svc, breach.id, TEXTS, actor=FOUNDER)
    breaches.close(svc, breach.id, outcome=BreachOutcome.NONE, actor=FOUNDER)
    said = {language: told_now(svc, watch(), language) for language in NAMES}
    assert said["en"] == f"{TEXTS['en']} Since then it turned out that it was no breach."
    assert said["de"] == f"{TEXTS['de']} Inzwischen hat sich gezeigt, dass es keine Datenpanne war."
    clock.advance(days=30, seconds=-1)
    assert told_now(svc, watch()) == said["en"]
    clock.advance(seconds=1)
    assert told_now(svc, watch()) == ""


def test_whose_people_were_not_told_is_not_shown(svc, noted):
    breaches.close(svc, noted().id, outcome=BreachOutcome.NONE, actor=FOUNDER)
    assert told_now(svc, watch()) == ""


def test_it_is_looked_at_now_and_then_alone(svc, noted, clock):
    mine = watch()
    assert told_now(svc, mine) == ""
    breaches.tell_people(svc, noted().id, TEXTS, actor=FOUNDER)
    assert told_now(svc, mine) == "", "nobody asks the database for each page"
    clock.advance(seconds=LOOKED_AT_EVERY.total_seconds())
    assert told_now(svc, mine) == TEXTS["en"]


def test_whoever_tells_sees_it_at_once(svc, noted):
    mine = watch()
    told_now(svc, mine)
    breaches.tell_people(svc, noted().id, TEXTS, actor=FOUNDER)
    mine.look_again()
    assert told_now(svc, mine) == TEXTS["en"]


# --------------------------------------------------------------------------------------------------------- measured
def test_whoever_is_late_is_counted(svc, noted, clock):
    def stand() -> tuple[int, int]:
        with svc.reading() as session:
            found = breaches.overdue(session, svc.clock())
        return found.open, found.late

    assert stand() == (0, 0)
    first = noted()
    clock.advance(hours=71)
    assert stand() == (1, 0)
    clock.advance(seconds=1)
    assert stand() == (1, 1)
    breaches.authority_told(svc, first.id, at=svc.clock(), actor=FOUNDER)
    assert stand() == (1, 1), "people are not told"
    breaches.tell_people(svc, first.id, TEXTS, actor=FOUNDER)
    assert stand() == (1, 1), "told too late stays too late"


def told_of(svc, breach, *, authority=True, people=True):
    if authority:
        breaches.authority_told(svc, breach.id, at=svc.clock(), actor=FOUNDER)
    if people:
        breaches.tell_people(svc, breach.id, TEXTS, actor=FOUNDER)


@pytest.mark.parametrize(
    ("after", "outcome", "is_late"),
    [
        (71, BreachOutcome.TOLD, False),
        (72, BreachOutcome.TOLD, True),
        (71, BreachOutcome.NO_RISK, False),
        (72, BreachOutcome.NO_RISK, True),
        (71, BreachOutcome.NONE, False),
        (72, BreachOutcome.NONE, False),
    ],
)
def test_what_was_late_is_so_for_a_month_after_its_end(svc, noted, clock, after, outcome, is_late):
    breach = noted()
    clock.advance(hours=after, seconds=after - 71)
    told_of(svc, breach, authority=outcome is BreachOutcome.TOLD, people=outcome is BreachOutcome.TOLD)
    breaches.close(svc, breach.id, outcome=outcome, actor=FOUNDER)
    for days, late in ((0, is_late), (29, is_late), (2, False)):
        clock.advance(days=days)
        with svc.reading() as session:
            found = register.overdue(session, svc.clock())
        assert (found.open, found.untold, found.too_late) == (0, 0, int(late))


def test_what_both_were_told_of_in_time_may_end_whenever(svc, noted, clock):
    breach = noted()
    told_of(svc, breach)
    clock.advance(days=9)
    breaches.close(svc, breach.id, outcome=BreachOutcome.NO_RISK, actor=FOUNDER)
    with svc.reading() as session:
        assert register.overdue(session, svc.clock()).late == 0


def test_the_promise_breaks_when_nobody_was_told(svc, limit_to, noted, clock):
    own = limit_to(privacy_contact="privacy@example.org")
    breach = noted()
    found = breach_notice(own, svc.clock())
    assert found.state is PromiseState.KEPT and "breaches open: 1, 71 h" in found.figure.text
    clock.advance(hours=72)
    found = breach_notice(own, svc.clock())
    assert found.state is PromiseState.BROKEN and json.loads(found.evidence.as_json())
    assert "are not told yet: 1." in found.evidence.text and "later than" not in found.evidence.text
    assert "open: 1, not told in time: 1" in found.figure.text
    told_of(own, breach)
    found = breach_notice(own, svc.clock())
    assert found.state is PromiseState.BROKEN, "telling it late is no telling in time"
    assert "later than 72 hours after they were noticed: 1." in found.evidence.text
    assert "are not told yet" not in found.evidence.text
    breaches.close(svc, breach.id, outcome=BreachOutcome.TOLD, actor=FOUNDER)
    found = breach_notice(own, svc.clock())
    assert found.state is PromiseState.BROKEN and "open: 0, not told in time: 1" in found.figure.text
    clock.advance(days=30)
    assert breach_notice(own, svc.clock()).state is PromiseState.KEPT
