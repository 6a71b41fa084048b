"""Each check says kept on a sound installation, and never once what keeps its promise is taken away."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from os import utime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from core import audit, breaches, erasing, promises, reconcile, requests, retention
from core.abuse import glass
from core.abuse.terms import LOOK_FOR
from core.models import (
    AbuseKind,
    AbuseReport,
    BreachKind,
    Consent,
    Copy,
    FindingKind,
    FindingRow,
    Generation,
    GlassView,
    Mailbox,
    PolicyVersion,
    PromiseState,
    ProviderCopy,
    ProviderCopyKind,
    ProviderTask,
    ProviderTaskState,
    RequestKind,
    Subject,
    UsageCount,
    new_id,
)
from core.operators import Operator
from core.ports import Answered, HandOver, LifecycleRule
from core.promises import PROMISES, Promise
from core.promises.checks import house, images, parties, reach
from core.promises.shapes import Check
from core.services import Services
from core.settings import Settings
from tests.conftest import ANN
from tests.fakes import FrozenClock, MemoryStore, jpeg
from tests.inbox import MemoryInbox
from tests.promises.conftest import Server, measured, promise, seen_by, state_of, written
from tests.provider.outsider import Outsider

KEPT, BROKEN, UNKNOWN = PromiseState.KEPT, PromiseState.BROKEN, PromiseState.UNKNOWN


def test_a_sound_installation_keeps_every_promise(lived_in: Services) -> None:
    stands = promises.run_checks(lived_in, lived_in.clock())
    assert {stand.promise.id: stand.evidence for stand in stands if stand.state is not KEPT} == {}
    assert promises.headline(stands, lived_in.clock()) == (
        KEPT, f"All {len(PROMISES)} promises hold. Checked within the last minute."
    )  # fmt: skip


@pytest.mark.sqlite_only("of what is measured where nothing is yet, rows are the least")
def test_it_does_before_anybody_came_as_well(sound: Services) -> None:
    stands = promises.run_checks(sound, sound.clock())
    assert {stand.promise.id: stand.evidence for stand in stands if stand.state is not KEPT} == {}


# ---------------------------------------------------------------------------------------------- taking it away
@dataclass
class Home:
    svc: Services
    clock: FrozenClock
    store: MemoryStore
    folder: Path

    def change(self, row: Any, **values: Any) -> None:
        with self.svc.transaction() as session:
            session.execute(sa.update(row).values(**values))

    def add(self, *rows: Any) -> None:
        with self.svc.transaction() as session:
            session.add_all(rows)

    def first(self, row: Any) -> Any:
        with self.svc.reading() as session:
            return session.exec(select(row)).first()

    def set(self, **settings: Any) -> Services:
        return replace(self.svc, settings=self.svc.settings.model_copy(update=settings))


Gone = tuple[Services, Promise] | Services | Promise | None
Takes = Callable[[Home], Gone]


def nobody_sweeps(home: Home) -> None:
    home.clock.advance(days=31)


def sweeping_is_stopped(home: Home) -> None:
    erasing.stop(home.svc, reason="test", actor="operator:test")


def no_sweep_comes_by(home: Home) -> None:
    home.clock.advance(hours=2)


def a_clock_is_too_long(home: Home) -> None:
    later = home.clock() + timedelta(days=100)
    home.change(Copy, erase_by=later, created_at=home.clock() - timedelta(days=31))


def a_clock_ends_far_away(home: Home) -> None:
    home.change(Copy, erase_by=home.clock() + timedelta(days=31))


def nobody_ever_compares(home: Home) -> None:
    home.clock.advance(hours=51)
    retention.sweep(home.svc)


def nobody_compares_any_more(home: Home) -> None:
    reconcile.compare(home.svc)
    assert state_of(home.svc, promise("available_until")) is KEPT
    nobody_ever_compares(home)


def no_canary_comes_by(home: Home) -> Services:
    """Set up a day ago, and none has come to its end."""
    return home.set(canary_every_minutes=60)


def a_key_outlives_the_images(home: Home) -> None:
    """As if ending a person did nothing."""
    home.clock.advance(days=31)
    retention.sweep(home.svc)
    assert state_of(home.svc, promise("encrypted")) is KEPT
    home.change(Subject, sealed_key=b"WS1" + b"k" * 60, key_destroyed_at=None)
    assert state_of(home.svc, promise("encrypted")) is KEPT, "it may be about to go"
    home.clock.advance(minutes=11)


def an_object_has_no_row(home: Home) -> None:
    found(home, FindingKind.UNTRACKED)


def it_is_lost(home: Home) -> None:
    home.store.objects.clear()


def the_bucket_erases_too_soon(home: Home) -> None:
    home.store.rules = [LifecycleRule(name="old", enabled=True, days=3)]


def storage_is_silent(home: Home) -> None:
    home.store.head_refused = True


def it_comes_back(home: Home) -> None:
    found(home, FindingKind.ZOMBIE)


def found(home: Home, kind: FindingKind) -> None:
    now = home.clock()
    home.add(FindingRow(kind=kind, ref="x", size=1, detail="x", first_seen_at=now, last_seen_at=now))


def it_lies_open(home: Home) -> None:
    for key in home.store.objects:
        home.store.objects[key] = jpeg()


def a_key_lies_open(home: Home) -> None:
    home.change(Subject, sealed_key=b"k" * 32)


def nothing_is_removed(home: Home) -> Promise:
    return replace(promise("only_pixels_are_kept"), check=images.only_pixels_are_kept(lambda data: data))


def anybody_may_read(home: Home) -> Promise:
    return replace(promise("only_the_owner"), check=reach.only_the_owner(lambda *_: Copy()))


def anybody_may_have_the_run(home: Home) -> Promise:
    return replace(promise("only_the_owner"), check=reach.only_the_owner(own_run=lambda *_: Generation()))


def looked_at(home: Home, **otherwise: Any) -> None:
    """A reported image was seen as it should be, but for this."""
    allowed, copy = home.clock() - timedelta(hours=1), home.first(Copy)
    report = AbuseReport(number="R-1", kind=AbuseKind.OTHER, received_at=allowed, due_at=allowed)
    view = {
        "report_id": report.id,
        "subject_id": copy.subject_id,
        "copy_id": copy.id,
        "reason": AbuseKind.OTHER,
        "asked_by": "one",
        "asked_at": allowed,
        "decided_by": "another",
        "decided_at": allowed,
        "until": allowed + timedelta(minutes=10),
        "first_seen_at": allowed + timedelta(minutes=1),
        "last_seen_at": allowed + timedelta(minutes=9),
    }
    home.add(report)
    home.change(Subject, may_be_looked_at=True)
    home.add(GlassView(**{**view, **otherwise}))


def it_may_be_looked_at(home: Home) -> Services:
    return home.set(look_at_reported=True)


def somebody_looks_for_longer(home: Home) -> Services:
    looked_at(home, until=home.clock())
    return it_may_be_looked_at(home)


def somebody_looks_too_late(home: Home) -> Services:
    looked_at(home, last_seen_at=home.clock())
    return it_may_be_looked_at(home)


def somebody_looks_first_and_asks_then(home: Home) -> Services:
    looked_at(home, first_seen_at=home.clock() - timedelta(hours=2))
    return it_may_be_looked_at(home)


def its_owner_never_allowed_it(home: Home) -> Services:
    looked_at(home)
    home.change(Subject, may_be_looked_at=False)
    return it_may_be_looked_at(home)


def its_owner_had_forbidden_it(home: Home) -> Services:
    looked_at(home)
    said(home, audit.Action.GLASS_FORBIDDEN, hours=2)
    return it_may_be_looked_at(home)


def its_owner_allowed_it_afterwards(home: Home) -> Services:
    looked_at(home)
    said(home, audit.Action.GLASS_PERMITTED)
    return it_may_be_looked_at(home)


def said(home: Home, action: audit.Action, **ago: float) -> None:
    with home.svc.transaction() as session:
        audit.record(session, action, home.first(Copy).subject_id, at=home.clock() - timedelta(**ago))


def a_look_is_open(home: Home) -> Services:
    """Allowed a moment ago, and not seen yet."""
    now = home.clock()
    looked_at(home, decided_at=now, until=now + LOOK_FOR, first_seen_at=None, last_seen_at=None)
    return it_may_be_looked_at(home)


def any_operator_sees_what_one_asked_for(home: Home) -> tuple[Services, Promise]:
    svc = a_look_is_open(home)
    assert state_of(svc, promise("only_the_owner")) is KEPT

    def shows(svc: Services, operator: Operator, view_id: str) -> bool:
        """As if it were not asked who asked."""
        return glass.shows(svc, replace(operator, id=home.first(GlassView).asked_by), view_id)

    return svc, replace(promise("only_the_owner"), check=reach.only_the_owner(shows=shows))


def nobody_may_look_and_one_is_allowed(home: Home) -> None:
    looked_at(home, first_seen_at=None, last_seen_at=None)


def a_look_is_shown_to_whoever_is_not_signed_in(home: Home) -> Services:
    svc = a_look_is_open(home)
    assert state_of(svc, promise("no_public_address")) is KEPT, "as the routes answer"
    shown = Answered(status=200, headers=(("content-type", "image/jpeg"),), start=jpeg())
    return seen_by(svc, Server(pages={f"/ops/glass/{home.first(GlassView).id}": shown}))


def an_address_is_open(home: Home) -> Services:
    shown = Answered(status=200, headers=(("content-type", "image/jpeg"),), start=jpeg())
    return seen_by(home.svc, Server(pages={f"/img/{home.first(Copy).id}": shown}))


def an_address_tells(home: Home) -> Services:
    """Nothing is shown, but the answer differs from that for what never existed."""
    told = Answered(status=403, headers=(), start=b"This is somebody else's.")
    return seen_by(home.svc, Server(pages={f"/zip/{home.first(Generation).id}": told}))


def the_bucket_is_public(home: Home) -> Services:
    shown = Answered(status=200, headers=(), start=b"WS1...")
    there = home.set(s3_endpoint_url="https://s3.example.com", s3_bucket="faces")
    return seen_by(there, Server(pages={"https://s3.example.com/faces/": shown}))


def a_proxy_answers_in_between(home: Home) -> Services:
    """Told what never existed that there is nothing, and then that this was one request too many."""
    refused = Answered(status=503, headers=(), start=b"Service Temporarily Unavailable")
    return seen_by(home.svc, Server(pages={f"/img/{home.first(Copy).id}": refused}))


def nobody_answers(home: Home) -> Services:
    return seen_by(home.svc, Server(down=True))


def nobody_can_ask(home: Home) -> Services:
    return replace(home.svc, outside=None)


def mail_is_open(home: Home) -> Services:
    return home.set(smtp_host="mail.example.com", smtp_security="none")


def browsers_come_by_http(home: Home) -> Services:
    return home.set(public_url="http://photos.example.com")


def it_may_listen_to_everybody(home: Home) -> Services:
    return replace(home.svc, here_alone=False)


def the_cookie_stays(home: Home) -> Services:
    return seen_by(home.svc, Server(cookie="workshot=" + "a" * 42 + "{n}; Path=/; HttpOnly; Max-Age=86400"))


def the_cookie_is_the_same(home: Home) -> Services:
    return seen_by(home.svc, Server(cookie="workshot=" + "a" * 43 + "; Path=/; HttpOnly"))


def no_cookie_is_given(home: Home) -> Services:
    return seen_by(home.svc, Server(cookie="other=1"))


def nobody_erases(home: Home) -> None:
    requests.open_in_product(home.svc, ANN, kind=RequestKind.ERASE, press_id=new_id())
    home.clock.advance(hours=49)


def nobody_reads_the_mailbox(home: Home) -> Services:
    return home.set(imap_host="mail.example.com")


def another_mailbox_was_read(home: Home) -> Services:
    home.add(Mailbox(name="a" * 64, uid_validity=1, last_uid=1, looked_at=home.clock()))
    return replace(home.set(imap_host="mail.example.com"), inbox=MemoryInbox(home.clock))


def nobody_answers_a_question(home: Home) -> None:
    requests.open_in_product(home.svc, ANN, kind=RequestKind.QUESTION, press_id=new_id(), words="Where does it lie?")
    home.clock.advance(days=32)


def nobody_is_asked_for_their_age(home: Home) -> None:
    home.change(Consent, is_adult=False)


def nobody_is_asked_at_all(home: Home) -> None:
    with home.svc.transaction() as session:
        session.execute(sa.delete(Consent))
        session.execute(sa.update(Generation).values(state="queued"))


def an_id_is_counted(home: Home) -> None:
    home.add(UsageCount(day=home.clock().date(), metric="run", a=new_id(), b="", n=1))


def nobody_prunes(home: Home) -> None:
    home.clock.advance(days=400)


def a_log_lies_about(home: Home) -> None:
    _file(home, "server.log", timedelta(days=400))


def nobody_removes_what_is_noted(home: Home) -> None:
    home.clock.advance(days=31)
    retention.sweep(home.svc)
    assert state_of(home.svc, promise("records_end")) is KEPT
    home.clock.advance(days=366 + 3)


def an_ad_is_loaded(home: Home) -> Services:
    csp = "default-src 'self'; script-src 'self' https://ads.example.com"
    return seen_by(home.svc, Server(csp=csp))


def pictures_come_from_anywhere(home: Home) -> Services:
    return seen_by(home.svc, Server(csp="default-src 'self'; img-src 'self' https:"))


def scripts_may_call_anybody(home: Home) -> Services:
    return seen_by(home.svc, Server(csp="default-src 'self'; connect-src 'self' wss:"))


def an_element_is_loaded(home: Home) -> Services:
    return seen_by(home.svc, Server(csp="default-src 'self'; script-src-elem https://evil.com"))


def anything_is_loaded(home: Home) -> Services:
    return seen_by(home.svc, Server(csp=""))


def an_ad_network_is_named(home: Home) -> Promise:
    root = written(home.folder / "tree", 'AD = "pagead2.googlesyndication.com"')
    return replace(promise("nothing_is_sold"), check=house.nothing_is_sold(root))


def it_changes_overnight(home: Home) -> None:
    home.clock.advance(hours=1)
    now = home.clock()
    soon = now + timedelta(days=1)
    home.add(PolicyVersion(version="v2", noted_at=now, effective_at=soon, loosens=True, numbers="{}", texts="{}"))


def no_version_is_in_force(home: Home) -> None:
    home.change(PolicyVersion, effective_at=home.clock() + timedelta(days=9))


def settings_promise_less(home: Home) -> Services:
    return home.set(longest_days=31)


def nobody_tells_of_a_breach(home: Home) -> None:
    now = home.clock()
    breaches.note(home.svc, kind=BreachKind.BUCKET, noticed_at=now, press_id=new_id(), actor="operator:test")
    stand = measured(home.svc, promise("breach_notice"))
    assert (stand.state, stand.figure) == (KEPT, "breaches open: 1, 3 d 0 h left to tell")
    home.clock.advance(hours=73)


def nobody_can_be_written_to(home: Home) -> Services:
    return home.set(privacy_contact="")


def a_backup_stays(home: Home) -> None:
    _file(home, "workshot-2025.sql.gz", timedelta(days=40))


def a_copy_of_the_database_stays(home: Home) -> None:
    _file(home, "workshot.db.bak", timedelta(days=40))


def _file(home: Home, name: str, old: timedelta) -> None:
    path = home.svc.settings.data_dir / name
    path.write_text("x")
    at = (home.clock() - old).timestamp()
    utime(path, (at, at))


def backups_are_kept_too_long(home: Home) -> Services:
    return home.set(backup_days=31)


def the_engine_can_reach_out(home: Home) -> Promise:
    root = written(home.folder / "tree", "import socket", "core/engines/on_device/new.py")
    return replace(promise("processed_here"), check=parties.processed_here(root))


def a_run_is_sent_out(home: Home) -> None:
    run = home.first(Generation)
    home.add(
        ProviderTask(
            id=f"{run.id}-1",
            generation_id=run.id,
            variant=1,
            provider="apimart",
            model="m",
            template="1",
            hand_over="inline",
            state=ProviderTaskState.TAKEN,
            planned_at=home.clock(),
            sent_at=home.clock(),
        )
    )


def somebody_is_not_named(home: Home) -> Services:
    return replace(home.svc, providers={"faceland": object()})  # type: ignore[dict-item]


def nobody_looks_there(home: Home) -> Services:
    """It is set up, and the copy was to be looked at two hours ago."""
    return replace(home.svc, providers={"apimart": _left_there(home)})


def its_settings_are_taken_away(home: Home) -> None:
    _left_there(home)


def _left_there(home: Home) -> Outsider:
    run, due = home.first(Generation), home.clock() - timedelta(hours=2)
    home.change(Generation, engine="apimart")
    a_run_is_sent_out(home)
    home.add(
        ProviderCopy(
            subject_id=run.subject_id,
            generation_id=run.id,
            task_id=f"{run.id}-1",
            provider="apimart",
            kind=ProviderCopyKind.UPLOAD,
            mark="m",
            noted_at=due,
            expires_at=due,
            dated_by="provider",
            probe_at=due,
        )
    )
    return Outsider(hand_over=HandOver.UPLOAD)


def there_is_no_source(which: str, check: Callable[[Path], Check]) -> Takes:
    def takes(home: Home) -> Promise:
        return replace(promise(which), check=check(home.folder / "nothing"))

    takes.__name__ = "there_is_no_source"
    return takes


NO_SOURCE: dict[str, Takes] = {
    name: there_is_no_source(name, check)
    for name, check in {
        "processed_here": parties.processed_here,
        "never_trained_on": parties.never_trained_on,
        "no_biometrics": parties.no_biometrics,
        "nothing_is_sold": house.nothing_is_sold,
    }.items()
}


def something_trains(home: Home) -> Promise:
    root = written(home.folder / "tree", "from torch import nn")
    return replace(promise("never_trained_on"), check=parties.never_trained_on(root))


def there_is_another_way_out(home: Home) -> Promise:
    root = written(home.folder / "tree", "import urllib.request")
    return replace(promise("never_trained_on"), check=parties.never_trained_on(root))


def faces_are_recognised(home: Home) -> Promise:
    return replace(promise("no_biometrics"), check=parties.no_biometrics(installed=lambda: ["dlib"]))


def faces_are_measured(home: Home) -> Promise:
    root = written(home.folder / "tree", "import cv2\ncv2.FaceRecognizerSF.create()")
    return replace(promise("no_biometrics"), check=parties.no_biometrics(root))


def a_model_is_brought_along(home: Home) -> Promise:
    root = written(home.folder / "tree", "x", "core/faces.onnx")
    return replace(promise("no_biometrics"), check=parties.no_biometrics(root))


TAKEN_AWAY: dict[str, tuple[Takes, ...]] = {
    "processed_here": (the_engine_can_reach_out, a_run_is_sent_out, NO_SOURCE["processed_here"]),
    "third_parties_by_name": (
        somebody_is_not_named,
        a_run_is_sent_out,
        nobody_looks_there,
        its_settings_are_taken_away,
    ),
    "erased_by_the_clock": (
        nobody_sweeps,
        sweeping_is_stopped,
        no_sweep_comes_by,
        a_clock_is_too_long,
        a_clock_ends_far_away,
        an_object_has_no_row,
        nobody_ever_compares,
        nobody_compares_any_more,
    ),
    "available_until": (
        it_is_lost,
        storage_is_silent,
        the_bucket_erases_too_soon,
        nobody_ever_compares,
        nobody_compares_any_more,
    ),
    "gone_means_gone": (it_comes_back, nobody_ever_compares, nobody_compares_any_more, no_canary_comes_by),
    "never_trained_on": (something_trains, there_is_another_way_out, NO_SOURCE["never_trained_on"]),
    "no_biometrics": (faces_are_recognised, faces_are_measured, a_model_is_brought_along, NO_SOURCE["no_biometrics"]),
    "only_the_owner": (
        anybody_may_read,
        anybody_may_have_the_run,
        somebody_looks_for_longer,
        somebody_looks_too_late,
        somebody_looks_first_and_asks_then,
        its_owner_never_allowed_it,
        its_owner_had_forbidden_it,
        its_owner_allowed_it_afterwards,
        nobody_may_look_and_one_is_allowed,
        any_operator_sees_what_one_asked_for,
    ),
    "no_public_address": (
        an_address_is_open,
        a_look_is_shown_to_whoever_is_not_signed_in,
        an_address_tells,
        the_bucket_is_public,
        a_proxy_answers_in_between,
        nobody_answers,
        nobody_can_ask,
    ),
    "only_pixels_are_kept": (nothing_is_removed,),
    "encrypted": (it_lies_open, a_key_lies_open, a_key_outlives_the_images),
    "encrypted_on_the_way": (mail_is_open, browsers_come_by_http, it_may_listen_to_everybody),
    "session_ends_with_the_browser": (the_cookie_stays, the_cookie_is_the_same, no_cookie_is_given, nobody_can_ask),
    "erased_on_request": (nobody_erases, nobody_reads_the_mailbox, another_mailbox_was_read),
    "rights_in_time": (nobody_answers_a_question,),
    "adults_only": (nobody_is_asked_for_their_age, nobody_is_asked_at_all),
    "usage_belongs_to_nobody": (an_id_is_counted,),
    "logs_at_most_a_year": (nobody_prunes, a_log_lies_about),
    "records_end": (nobody_removes_what_is_noted,),
    "nothing_is_sold": (
        an_ad_is_loaded,
        anything_is_loaded,
        pictures_come_from_anywhere,
        scripts_may_call_anybody,
        an_element_is_loaded,
        an_ad_network_is_named,
        nobody_answers,
        NO_SOURCE["nothing_is_sold"],
    ),
    "notice_before_a_change": (it_changes_overnight, no_version_is_in_force, settings_promise_less),
    "breach_notice": (nobody_tells_of_a_breach, nobody_can_be_written_to),
    "backups_end_too": (a_backup_stays, a_copy_of_the_database_stays, backups_are_kept_too_long),
}
CANNOT_BE_SEEN = {
    nobody_ever_compares,
    nobody_compares_any_more,
    no_canary_comes_by,
    its_settings_are_taken_away,
    *NO_SOURCE.values(),
    sweeping_is_stopped,
    no_sweep_comes_by,
    storage_is_silent,
    a_proxy_answers_in_between,
    nobody_answers,
    nobody_can_ask,
    no_cookie_is_given,
    nobody_reads_the_mailbox,
    another_mailbox_was_read,
    it_may_listen_to_everybody,
    no_version_is_in_force,
    nobody_can_be_written_to,
}
"""These make it unknown; everything else shows that it is broken."""


def test_every_promise_has_something_that_is_taken_away() -> None:
    assert set(TAKEN_AWAY) == {each.id for each in PROMISES}


def named(one: str | Takes) -> str:
    return one if isinstance(one, str) else one.__name__


FIRST = [(name, ways[0]) for name, ways in TAKEN_AWAY.items()]
MORE = [(name, taken) for name, ways in TAKEN_AWAY.items() for taken in ways[1:]]


@pytest.fixture
def home(lived_in: Services, clock: FrozenClock, store: MemoryStore, tmp_path: Path) -> Home:
    return Home(lived_in, clock, store, tmp_path)


@pytest.mark.parametrize(("promise_id", "taken"), FIRST, ids=named)
def test_none_stays_green_without_what_keeps_it(home: Home, promise_id: str, taken: Takes) -> None:
    not_green(home, promise_id, taken)


@pytest.mark.sqlite_only("the other ways in which the same checks find it out")
@pytest.mark.parametrize(("promise_id", "taken"), MORE, ids=named)
def test_nor_in_another_way(home: Home, promise_id: str, taken: Takes) -> None:
    not_green(home, promise_id, taken)


def not_green(home: Home, promise_id: str, taken: Takes) -> None:
    which, svc = promise(promise_id), home.svc
    assert state_of(svc, which) is KEPT
    left = taken(home)
    for each in left if isinstance(left, tuple) else (left,):
        svc, which = each if isinstance(each, Services) else svc, each if isinstance(each, Promise) else which
    stand = measured(svc, which)
    assert stand.state is (UNKNOWN if taken in CANNOT_BE_SEEN else BROKEN), stand.evidence


# ------------------------------------------------------------------------------------------------ more of single ones
@pytest.mark.sqlite_only("a clock and a figure")
def test_what_is_older_than_promised_now_was_promised_before(lived_in: Services, clock: FrozenClock) -> None:
    """Whoever gave a photo under 30 days keeps their clock when the policy says 14: not broken, for the 30 days."""
    which = promise("erased_by_the_clock")
    clock.advance(days=20)
    retention.sweep(lived_in)
    reconcile.compare(lived_in)
    tighter = replace(lived_in, settings=lived_in.settings.model_copy(update={"longest_days": 14}))
    assert state_of(tighter, which) is BROKEN, "the version in force was there before the photo"
    now = clock()
    with lived_in.transaction() as session:
        session.add(PolicyVersion(version="v2", noted_at=now, effective_at=now, numbers="{}", texts="{}"))
    assert state_of(tighter, which) is KEPT
    assert "14 days" in measured(tighter, which).sentence


@pytest.mark.sqlite_only("a clock and a figure")
def test_the_oldest_photo_is_a_figure(lived_in: Services, clock: FrozenClock) -> None:
    clock.advance(days=11, hours=4)
    retention.sweep(lived_in)
    assert measured(lived_in, promise("erased_by_the_clock")).figure == "oldest photo 11 d 4 h, 0 past their clock"


@pytest.mark.sqlite_only("one row, and what was said of it")
def test_a_look_that_two_allowed_is_no_breach_and_is_counted(home: Home) -> None:
    looked_at(home)
    said(home, audit.Action.GLASS_FORBIDDEN)  # afterwards
    told = measured(it_may_be_looked_at(home), promise("only_the_owner"))
    assert told.state is KEPT and "an operator has seen in 300 days: 1, each allowed by another one" in told.evidence


@pytest.mark.sqlite_only("sentences of settings")
def test_whether_operators_may_look_is_said(sound: Services) -> None:
    looking = sound.settings.model_copy(update={"look_at_reported": True})
    (before,) = [line for line in promises.glance(sound.settings) if "Seen only" in line]
    (after,) = [line for line in promises.glance(looking) if "Seen only" in line]
    assert before == "Seen only in this browser, or with your claim code. No account, no name."
    assert "One exception: if somebody reports an image, two operators may look at it" in after
    which, minutes = promise("only_the_owner"), LOOK_FOR // timedelta(minutes=1)
    assert which.filled(sound.settings).endswith("Operators see none.")
    assert f"two of them together, for {minutes} minutes" in which.filled(looking)


@pytest.mark.sqlite_only("two rows")
def test_where_nobody_has_agreed_nobody_is_owed_a_notice(sound: Services) -> None:
    now = sound.clock()
    with sound.transaction() as session:
        row = {"noted_at": now, "effective_at": now, "loosens": True, "numbers": "{}", "texts": "{}"}
        session.add(PolicyVersion(version="v2", **row))
    assert state_of(sound, promise("notice_before_a_change")) is KEPT


@pytest.mark.sqlite_only("text of a file that ships")
def test_who_else_has_it_is_named_with_purpose_and_clocks_and_what_we_do_not_know(sound: Services) -> None:
    there = replace(sound, providers={"apimart": Outsider(hand_over=HandOver.UPLOAD)})
    told = measured(there, promise("third_parties_by_name"))
    assert told.state is KEPT and "APIMart: Passes pictures and words on" in told.evidence
    assert "upload 72 h, result 24 to 72 h, record not known" in told.evidence
    quoted = measured(there, promise("never_trained_on")).evidence
    assert (
        "Of APIMart could not be established, as of 21 Nov 2026: Whether what is sent is used for training." in quoted
    )


@pytest.mark.sqlite_only("what the bucket says of itself")
def test_the_bucket_s_own_clock_is_told(lived_in: Services, store: MemoryStore) -> None:
    store.rules = [LifecycleRule(name="workshot", enabled=True, days=30)]
    told = measured(lived_in, promise("erased_by_the_clock"))
    assert told.state is KEPT and "the bucket erases by itself: rule 30 d · clock 30 d · policy 30 d" in told.evidence


@pytest.mark.sqlite_only("what is asked for, not where rows lie")
def test_a_stranger_asks_for_everything_with_and_without_a_cookie(lived_in: Services) -> None:
    server = Server()
    stand = measured(seen_by(lived_in, server), promise("no_public_address"))
    assert stand.state is KEPT and "Asked over HTTPS, at the public address." in stand.evidence
    with lived_in.reading() as session:
        ids = set(session.exec(select(Copy.id)).all()) | set(session.exec(select(Generation.id)).all())
    of_ours = [(path, headers) for path, headers in server.asked if any(one in path for one in ids)]
    assert {path.split("/")[1] for path, _ in of_ours} == {"img", "export", "media", "zip", "before", "preview"}
    assert {bool(headers.get("cookie")) for _, headers in of_ours} == {True, False}
    assert all(headers.get("accept") is None for _, headers in server.asked), "nobody is counted as a visitor"


@pytest.mark.parametrize("status", sorted(reach.IN_BETWEEN))
def test_a_picture_is_one_whatever_else_was_said(status: int) -> None:
    """Too many at once makes it unknown both ways round, and hides nothing that is open."""
    busy, shown = (Answered(status=code, headers=(), start=b"") for code in (status, 200))
    gone = Answered(status=404, headers=(), start=b"")
    assert [reach._tells(*two) for two in ((busy, gone), (gone, busy), (shown, busy))] == [None, None, True]
    assert reach._tells(Answered(status=status, headers=(), start=jpeg()), busy)


@pytest.mark.parametrize(
    ("host", "safe"),
    [("/run/postgresql", True), ("@postgres", True), ("127.0.0.1", True), ("::1", True), ("postgres", None), ("", None),
     ("db.example.com", False), ("10.0.0.7", False), ("fd00::7", False)],
)  # fmt: skip
def test_the_way_to_the_database_is_seen_from_our_end(host: str, safe: bool | None) -> None:
    assert reach.stays_or_sealed(host, encrypted=False) is safe and reach.stays_or_sealed(host, encrypted=True)


@pytest.mark.parametrize("word", ["one", "0" * 32, "ann@example.org", "203.0.113.7", "/img/x"])
def test_words_that_could_be_somebody_s(word: str) -> None:
    assert bool(house._PERSONAL.search(word)) is (word != "one")


def test_every_column_of_an_image_is_known() -> None:
    assert set(Copy.model_fields) == images.COLUMNS_OF_A_COPY


@pytest.mark.sqlite_only("an instant between rows and storage")
def test_what_is_erased_while_it_is_asked_for_is_not_missing(lived_in: Services, store: MemoryStore) -> None:
    def erased(_: str) -> None:
        store.before_head = lambda key: None
        requests.open_in_product(lived_in, ANN, kind=RequestKind.ERASE, press_id=new_id())
        with lived_in.transaction() as session:
            session.execute(sa.update(Copy).values(erase_by=lived_in.clock()))
        store.objects.clear()

    store.before_head = erased
    assert state_of(lived_in, promise("available_until")) is KEPT


@pytest.mark.sqlite_only("what the server knows of its age")
def test_a_test_picture_has_its_time_to_come_by(sound: Services) -> None:
    with sound.transaction() as session:
        session.execute(sa.update(PolicyVersion).values(noted_at=sound.clock() - timedelta(hours=3)))
    singing = replace(sound, settings=sound.settings.model_copy(update={"canary_every_minutes": 60}))
    assert state_of(singing, promise("gone_means_gone")) is KEPT


def test_nothing_is_said_of_what_lies_beside_a_database_elsewhere(sound: Services) -> None:
    told = measured(sound, promise("backups_end_too"))
    elsewhere = sound.database.dialect.name == "postgresql"
    assert told.state is KEPT and ("on another server" in told.evidence) is elsewhere
    assert ("lies beside it" in told.evidence) is not elsewhere


@pytest.mark.sqlite_only("SQLite in a folder of its own")
def test_backups_are_looked_for_where_the_database_lies(sound: Services, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    there = replace(sound, settings=sound.settings.model_copy(update={"data_dir": other}))
    assert state_of(there, promise("backups_end_too")) is KEPT
    left = tmp_path / "workshot.db.old"
    left.write_text("x")
    at = (sound.clock() - timedelta(days=40)).timestamp()
    utime(left, (at, at))
    assert state_of(there, promise("backups_end_too")) is BROKEN


# ---------------------------------------------------------------------------------------------------------- the table
@pytest.mark.parametrize("which", PROMISES, ids=lambda each: each.id)
def test_no_sentence_without_a_check_and_no_check_without_a_sentence(which: Promise, svc: Services) -> None:
    assert (
        which.sentence.endswith((".", "{early}", "{backups}", "{looks}"))
        and which.measured.endswith(".")
        and which.reader_may.endswith(".")
    )
    assert callable(which.check) and which.group in promises.GROUPS and which.owner in ("founder", "support")
    assert timedelta(0) < which.grace <= timedelta(days=1)
    assert "{" not in which.filled(svc.settings)
    assert set(which.reads) <= set(Settings.model_fields) and which.called == which.id.replace("_", " ")


def test_ids_and_sentences_are_their_own() -> None:
    assert len({each.id for each in PROMISES}) == len({each.sentence for each in PROMISES}) == len(PROMISES) >= 19
    assert len({each.check for each in PROMISES}) == len(PROMISES)


@pytest.mark.parametrize("name", sorted({name for each in PROMISES for name in each.enforced_by}))
def test_what_enforces_it_is_there(name: str) -> None:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            at: Any = import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            at = getattr(at, part)
        assert callable(at)
        return
    pytest.fail("nothing of that name")
