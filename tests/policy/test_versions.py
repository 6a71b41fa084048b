"""Versions: noted once, in force at once or after their notice, and older numbers bind until then."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from core import audit, language, policy
from core.canonical import instant
from core.contracts import Contract
from core.errors import BadSettings, NotAllowed, NotFound
from core.models import AuditEntry, Consent, Copy, Generation, PolicyVersion, Subject
from core.policy import published, versions
from core.ports import HandOver
from core.promises.checks import house
from core.services import Services
from tests.conftest import on_all_threads
from tests.fakes import FrozenClock
from tests.provider.outsider import Outsider

NOTICE = timedelta(days=14)

LimitTo = Callable[..., Services]


def rows(svc: Services) -> list[policy.Version]:
    with svc.reading() as session:
        return policy.history(session)


@pytest.fixture
def agreed(ask: Callable[..., str]) -> None:
    """Somebody was promised something."""
    ask(contract=Contract.WEEK)


def test_the_first_is_in_force_at_once_and_has_its_text(svc: Services) -> None:
    noted = policy.note(svc)
    here = policy.of(svc)
    assert (noted.id, noted.effective_at, noted.loosens) == (here.version, svc.clock(), False)
    with svc.reading() as session:
        row = session.exec(select(PolicyVersion)).one()
        assert json.loads(row.texts) == here.texts and json.loads(row.numbers) == here.numbers
        assert policy.text_of(svc, session, here.version) == here.document().plain
        assert policy.text_of(svc, session, "of_nobody") is None


def test_noting_again_changes_nothing(svc: Services, clock: FrozenClock) -> None:
    first = policy.note(svc)
    clock.now += timedelta(days=3)
    assert policy.note(svc) == first and len(rows(svc)) == 1


def test_servers_that_start_at_once_note_it_once(svc: Services) -> None:
    noted = on_all_threads(lambda: policy.note(svc), times=4)
    assert len(rows(svc)) == 1 and len({each.id for each in noted}) == 1
    with svc.reading() as session:
        (deed,) = session.exec(select(AuditEntry).where(AuditEntry.action == audit.Action.POLICY_NOTED.value)).all()
    assert (deed.ref, json.loads(deed.facts)) == (policy.version(svc), {"loosens": False})


@pytest.mark.usefixtures("agreed")
def test_servers_that_start_at_once_announce_it_once(svc: Services, limit_to: LimitTo) -> None:
    policy.note(limit_to(longest_days=7))

    def start() -> str:
        with pytest.raises(BadSettings) as refused:
            policy.note(limit_to(longest_days=30))
        return str(refused.value)

    said = on_all_threads(start, times=3)
    assert len(rows(svc)) == 2 and all("LONGEST_DAYS=7" in each for each in said)


@pytest.mark.usefixtures("agreed")
def test_tighter_is_in_force_at_once(svc: Services, limit_to: LimitTo) -> None:
    policy.note(svc)
    noted = policy.note(limit_to(longest_days=14))
    assert noted.effective_at == svc.clock() and not noted.loosens and len(rows(svc)) == 2


@pytest.mark.usefixtures("agreed")
def test_other_words_are_in_force_at_once(svc: Services, limit_to: LimitTo) -> None:
    first = policy.note(svc)
    noted = policy.note(limit_to(run_by="Ann's Studio"))
    assert noted.effective_at == svc.clock() and not noted.loosens and noted.hash != first.hash


@pytest.mark.usefixtures("agreed")
def test_looser_is_announced_and_refused_until_its_notice_is_over(
    svc: Services, limit_to: LimitTo, clock: FrozenClock
) -> None:
    tight, loose = limit_to(longest_days=14), limit_to(longest_days=30)
    policy.note(tight)
    clock.now += timedelta(hours=5)
    began = clock.now
    with pytest.raises(BadSettings, match=r"It is announced now, and .* hold from .*\n  LONGEST_DAYS=14$"):
        policy.note(loose)
    (announced,) = policy.announced(rows(svc), clock())
    assert announced.effective_at == began + NOTICE and announced.loosens
    assert policy.note(tight).hash == policy.of(tight).version, "what is in force may go on"

    clock.now = began + NOTICE - timedelta(seconds=1)
    with pytest.raises(BadSettings, match=f"It is announced, and these settings hold from {began + NOTICE:%d %b %Y}"):
        policy.note(loose)
    assert len(rows(svc)) == 2, "announced once"

    clock.now = began + NOTICE
    assert policy.note(loose).hash == policy.of(loose).version


@pytest.mark.usefixtures("agreed")
def test_the_longer_notice_counts(svc: Services, limit_to: LimitTo, clock: FrozenClock) -> None:
    """A notice that is itself made shorter is no way around it."""
    policy.note(limit_to(policy_notice_days=60, longest_days=7))
    with pytest.raises(BadSettings, match="POLICY_NOTICE_DAYS=60"):
        policy.note(limit_to(policy_notice_days=14, longest_days=30))
    (announced,) = policy.announced(rows(svc), clock())
    assert announced.effective_at == clock() + timedelta(days=60)


@pytest.mark.usefixtures("agreed")
def test_going_back_to_what_was_looser_is_looser(svc: Services, limit_to: LimitTo, clock: FrozenClock) -> None:
    month, week = limit_to(longest_days=30), limit_to(longest_days=7)
    policy.note(month)
    clock.now += timedelta(days=1)
    policy.note(week)
    clock.now += timedelta(days=1)
    with pytest.raises(BadSettings):
        policy.note(month)
    assert [version.id.partition(".")[2] for version in rows(svc)] == ["", "", "2"]
    clock.now += NOTICE
    assert policy.note(month).id == f"{policy.of(month).version}.2"
    with svc.reading() as session:
        assert policy.text_of(month, session, policy.of(week).version) == policy.of(week).texts["en"]


@pytest.mark.usefixtures("agreed")
def test_a_third_party_more_is_announced(svc: Services) -> None:
    policy.note(svc)
    providers: dict[str, Any] = {"apimart": Outsider(hand_over=HandOver.INLINE)}
    with pytest.raises(BadSettings, match="leave APIMART_API_KEY empty"):
        policy.note(replace(svc, providers=providers))


def test_where_nobody_agreed_nobody_waits(svc: Services, limit_to: LimitTo, given_subject: Callable[[], str]) -> None:
    """A server that is being set up; test pictures of ours are nobody's."""
    policy.note(limit_to(longest_days=7))
    canary = given_subject()
    with svc.transaction() as session:
        session.get_one(Subject, canary).is_canary = True
        agreed = Consent(subject_id=canary, given_at=svc.clock(), policy_version="", may_use_photo=True, is_adult=True)
        session.add(agreed)
    noted = policy.note(limit_to(longest_days=30))
    assert noted.effective_at == svc.clock() and not noted.loosens, "less than was promised to somebody: to nobody"


@pytest.mark.usefixtures("agreed")
def test_a_worker_notes_nothing_and_holds_what_is_in_force(svc: Services, limit_to: LimitTo) -> None:
    policy.hold(svc)
    assert rows(svc) == []
    policy.note(limit_to(longest_days=14, public_url="https://headshots.example"))
    policy.hold(limit_to(longest_days=7))
    policy.hold(limit_to(longest_days=14))
    with pytest.raises(BadSettings, match=r"Start the server with them first.*\n  LONGEST_DAYS=14"):
        policy.hold(limit_to(longest_days=30))
    assert len(rows(svc)) == 1


def test_another_policy_touches_no_clock_that_runs(
    svc: Services, limit_to: LimitTo, ask: Callable[..., str], clock: FrozenClock
) -> None:
    """Neither one that promises more nor one that promises less."""
    policy.note(limit_to(longest_days=14))
    ask(contract=Contract.WEEK)
    before = _clocks(svc)
    with pytest.raises(BadSettings):
        policy.note(limit_to(longest_days=30))
    clock.now += NOTICE
    policy.note(limit_to(longest_days=30))
    policy.note(limit_to(longest_days=3))
    assert _clocks(svc) == before and before


def _clocks(svc: Services) -> list[Any]:
    with svc.reading() as session:
        copies = session.exec(select(Copy.id, Copy.erase_by).order_by(Copy.id)).all()
        return [*copies, *session.exec(select(Generation.contract, Generation.erase_by)).all()]


def test_a_consent_names_the_text_that_was_shown(
    svc: Services, ask: Callable[..., str], limit_to: LimitTo, clock: FrozenClock
) -> None:
    policy.note(svc)
    ask()
    shown = policy.of(svc).texts["en"]
    later = limit_to(run_by="Somebody else")
    clock.now += timedelta(days=1)
    policy.note(later)
    with svc.reading() as session:
        consent = session.exec(select(Consent)).one()
        assert policy.text_of(later, session, consent.policy_version) == shown
        assert policy.version_in_force(later, session) == policy.version(later) != consent.policy_version


def test_since_when_a_text_is_in_force(svc: Services, limit_to: LimitTo, clock: FrozenClock) -> None:
    began = clock()
    policy.note(svc)
    clock.now += timedelta(days=2)
    policy.note(limit_to(run_by="Ann"))
    known = rows(svc)
    assert policy.updated_at(known, policy.version(svc), clock()) == began
    assert policy.updated_at(known, policy.version(limit_to(run_by="Ann")), clock()) == clock()
    assert policy.updated_at(known, "of_nobody", clock()) is None


def test_a_text_that_comes_back_is_not_said_to_be_in_force_from_then(
    svc: Services, ask: Callable[..., str], limit_to: LimitTo, clock: FrozenClock
) -> None:
    began = clock()
    policy.note(svc)
    ask()
    clock.now += timedelta(days=2)
    policy.note(limit_to(longest_days=14))
    with pytest.raises(BadSettings):
        policy.note(svc)
    assert [each.hash for each in policy.announced(rows(svc), clock())] == [policy.version(svc)]
    said = published.machine_readable(svc, policy.of(svc), clock())
    assert said["effective_at"] == instant(began)


def test_what_changed_is_told_by_sentence(svc: Services, limit_to: LimitTo) -> None:
    before, after = policy.of(svc).texts["en"], policy.of(limit_to(longest_days=14)).texts["en"]
    found = policy.changes(before, after)
    assert policy.changes(before, before) == []
    removed = [change for change in found if change.mark is policy.Mark.REMOVED]
    added = [change for change in found if change.mark is policy.Mark.ADDED]
    assert any(change.under == "Your photos" and "at most 30 days" in change.text for change in removed)
    assert any(change.under == "Your photos" and "at most 14 days" in change.text for change in added)
    assert not any("No face recognition" in change.text for change in found)
    assert versions.in_force([], svc.clock()) is None


# --------------------------------------------------------------------------------------------------------- withdrawing
@pytest.fixture
def announced(svc: Services, limit_to: LimitTo, agreed: None) -> Services:
    """A week is promised, and a month announced. What promises the month."""
    policy.note(limit_to(longest_days=7))
    loose = limit_to(longest_days=30)
    with pytest.raises(BadSettings):
        policy.note(loose)
    return loose


def test_what_was_announced_can_be_withdrawn_and_never_comes(
    svc: Services, limit_to: LimitTo, announced: Services, clock: FrozenClock
) -> None:
    clock.now += timedelta(days=3)
    week = limit_to(longest_days=7)
    for _press in range(2):
        gone = policy.withdraw(svc, policy.version(announced), actor="operator:command-line")
        assert gone.withdrawn_at == clock()
    assert policy.announced(rows(svc), clock()) == []
    told = house.notice_before_a_change(week, clock())
    assert "No change is announced." in told.evidence.text and told.figure.text == "1 versions, 0 without notice"
    clock.now += NOTICE
    binding = policy.in_force(rows(svc), clock())
    assert binding and binding.hash == policy.version(week)
    assert policy.note(week).id == binding.id and len(rows(svc)) == 2, "it stays in the list"
    with svc.reading() as session:
        deeds = session.exec(select(AuditEntry).where(AuditEntry.action == "policy:withdrawn")).all()
    assert [(deed.ref, deed.actor) for deed in deeds] == [(policy.version(announced), "operator:command-line")]


def test_announced_again_its_notice_begins_anew(svc: Services, announced: Services, clock: FrozenClock) -> None:
    clock.now += NOTICE - timedelta(hours=1)
    policy.withdraw(svc, policy.version(announced), actor="operator:command-line")
    with pytest.raises(BadSettings, match="It is announced now"):
        policy.note(announced)
    (again,) = policy.announced(rows(svc), clock())
    assert again.effective_at == clock() + NOTICE and again.id == f"{policy.version(announced)}.2"
    clock.now += NOTICE
    assert policy.note(announced).id == again.id


def test_what_is_in_force_or_was_never_noted_is_not_withdrawn(
    svc: Services, limit_to: LimitTo, announced: Services, clock: FrozenClock
) -> None:
    with pytest.raises(NotAllowed, match="in force"):
        policy.withdraw(svc, policy.version(limit_to(longest_days=7)), actor="operator:command-line")
    with pytest.raises(NotFound):
        policy.withdraw(svc, "of_nobody", actor="operator:command-line")
    clock.now += NOTICE
    with pytest.raises(NotAllowed):
        policy.withdraw(svc, policy.version(announced), actor="operator:command-line")


def test_a_look_at_what_is_reported_waits_for_its_notice(svc: Services, limit_to: LimitTo, agreed: None) -> None:
    policy.note(svc)
    with pytest.raises(BadSettings, match=r"\n  LOOK_AT_REPORTED=false$"):
        policy.note(limit_to(look_at_reported=True))
    with pytest.raises(BadSettings, match=r"LOOK_AT_REPORTED=false"):
        policy.hold(limit_to(look_at_reported=True))


# ----------------------------------------------------------------------------------------------------------- languages
def test_a_consent_keeps_the_language_in_which_it_was_read(
    svc: Services, ask: Callable[..., str], clock: FrozenClock
) -> None:
    policy.note(svc)
    with language.speaking("de"):
        ask()
    for _again in range(2):
        clock.now += timedelta(minutes=1)
        ask()
    with svc.reading() as session:
        whose = session.exec(select(Subject.id)).one()
        english, german = policy.agreed(svc, session, whose)
    here = policy.of(svc).texts
    assert (english.language, len(english.given_at), english.text) == ("en", 2, here["en"])
    assert (german.language, german.text, german.others) == ("de", here["de"], {"en": here["en"]})
    assert "Ihre Fotos" in here["de"]


def test_a_text_from_before_there_was_another_language_is_english(svc: Services, ask: Callable[..., str]) -> None:
    policy.note(svc)
    ask()
    with svc.transaction() as session:
        row = session.exec(select(PolicyVersion)).one()
        old = PolicyVersion(**row.model_dump() | {"version": "f" * 32, "texts": json.dumps({"en": "# Of then"})})
        session.add(old)
        session.exec(select(Consent)).one().policy_version = old.version
    with svc.reading() as session:
        (of_then,) = policy.agreed(svc, session, session.exec(select(Subject.id)).one())
        assert policy.text_of(svc, session, "f" * 32, "de") == "# Of then"
    assert (of_then.text, of_then.others) == ("# Of then", {})


def test_another_language_alone_is_another_version_and_no_loosening(
    svc: Services, agreed: None, clock: FrozenClock
) -> None:
    """As a release does that adds one."""
    here = policy.of(svc)
    alone = policy.Policy(documents={"en": here.document("en")}, numbers=here.numbers)
    assert alone.version != here.version
    first = versions.note(svc, alone)
    clock.now += timedelta(days=1)
    noted = policy.note(svc)
    assert noted.effective_at == clock() and not noted.loosens and first.texts.keys() == {"en"}
    assert set(noted.texts) == set(language.NAMES)
