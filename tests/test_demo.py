"""The demo: every state is there, nothing real is touched, counts and rows agree, and nothing of it is left behind."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import SQLModel, col, func, select
from streamlit.testing.v1 import AppTest

from core import (
    alerts,
    backlog,
    bootstrap,
    demo,
    doctor,
    futures,
    made_up,
    metrics,
    operators,
    plans,
    promises,
    receipts,
    reconcile,
    requests,
    retention,
)
from core.__main__ import main
from core.contracts import Contract
from core.demo import writing
from core.errors import NotAllowed, NotFound
from core.models import (
    Copy,
    CopyKind,
    EraseReason,
    Generation,
    HeadshotRow,
    JobKind,
    Receipt,
    Request,
    RequestKind,
    RequestOutcome,
    RequestState,
    Role,
    RunState,
    Subject,
    UsageCount,
    UsageHour,
    UsageLevel,
)
from core.provider import residue
from core.receipts import Statement
from core.requests import pruning
from core.settings import Settings
from core.ui import app
from core.usage import words
from core.usage.metrics import BUCKETS, STEPS, Metric
from tests.conftest import ANN, BOB
from tests.web.served import ROOT

DAYS, SUBJECTS = 40, 260


@pytest.fixture
def made(svc):
    return demo.make(svc, days=DAYS, subjects=SUBJECTS)


def everything(svc) -> dict[str, list[str]]:
    """Every row of every table."""
    with svc.database.connect() as connection:
        return {
            table.name: sorted(repr(tuple(row)) for row in connection.execute(table.select()))
            for table in SQLModel.metadata.sorted_tables
        }


def all_of(svc, query):
    with svc.reading() as session:
        return session.exec(query).all()


# ------------------------------------------------------------------------------------------------------- what is there
def test_everything_there_is_to_see_is_there(svc, made, clock):
    now = clock()
    kept = all_of(svc, select(Copy))
    runs = all_of(svc, select(Generation))
    live = {run.contract for run in runs if run.erase_by > now}

    assert made.subjects == len(all_of(svc, select(Subject))) >= SUBJECTS and made.assets == len(kept)
    assert live == set(Contract)
    assert {run.state for run in runs} == {RunState.READY, RunState.FAILED, RunState.CANCELLED}
    assert {copy.kind for copy in kept} == {CopyKind.PORTRAIT, CopyKind.CLOTHING, CopyKind.BACKDROP, CopyKind.HEADSHOT}
    assert {EraseReason.CONTRACT, EraseReason.ASKED, EraseReason.RUN_OVER} <= {copy.erase_reason for copy in kept}
    queues = backlog.counts(svc)
    for queue in (backlog.Queue.COMING, backlog.Queue.DUE, backlog.Queue.OVERDUE, backlog.Queue.BLOCKED,
                  backlog.Queue.UNPROVED):  # fmt: skip
        assert queues[queue], queue
    with svc.reading() as session:
        stand = residue.figures(session, now, demo=True)
    assert stand.running and stand.gone


def test_there_are_tickets_in_every_state(svc, made, clock):
    tickets = all_of(svc, select(Request))
    with svc.reading() as session:
        totals = requests.totals(session, clock())

    assert {ticket.state for ticket in tickets} == set(RequestState)
    assert {ticket.outcome for ticket in tickets} >= {RequestOutcome.DONE, RequestOutcome.REFUSED}
    assert totals.breached == 1 and totals.due_soon >= 1 and totals.on_track >= 3
    assert any(ticket.extended_at for ticket in tickets) and any(ticket.duplicate_of for ticket in tickets)
    for ticket in tickets:
        if ticket.closed_at:
            assert ticket.received_at < ticket.closed_at <= clock() and ticket.sealed_key is None
    done = {ticket.id for ticket in tickets if ticket.outcome is RequestOutcome.DONE and ticket.kind.value == "erase"}
    assert done and done == {receipt.request_id for receipt in all_of(svc, select(Receipt))}


@pytest.mark.sqlite_only("the rows are the same on both, and it only reads them")
def test_every_ticket_can_be_opened(svc, made, clock):
    for ticket in all_of(svc, select(Request)):
        one = requests.detail(svc, ticket.id, clock())
        assert one.ticket.number.startswith("D-DEMO")
        assert list(one.timeline) == sorted(one.timeline, key=lambda moment: moment.at)


def test_what_was_erased_has_its_evidence_and_no_clock_is_longer_than_promised(svc, made, clock):
    for copy in all_of(svc, select(Copy)):
        assert copy.created_at <= clock()
        assert copy.erase_by - copy.created_at <= timedelta(days=30)
        if copy.gone_at:
            assert copy.erase_by <= copy.erased_at <= copy.gone_at <= clock() and copy.evidence_id
    over = [subject for subject in all_of(svc, select(Subject)) if subject.key_destroyed_at]
    with svc.reading() as session:
        held = select(func.count()).where(
            col(Copy.subject_id).in_([subject.id for subject in over]), col(Copy.gone_at).is_(None)
        )
        assert over and session.exec(held).one() == 0


@pytest.mark.sqlite_only("the rows are the same on both, and it only reads them")
def test_what_happens_has_its_seasons_and_an_outage(svc, made, clock):
    day_of = Counter(run.created_at.date() for run in all_of(svc, select(Generation)))
    weekdays = sum(n for day, n in day_of.items() if day.weekday() < 5) / 5
    weekends = sum(n for day, n in day_of.items() if day.weekday() >= 5) / 2
    assert weekdays > 1.4 * weekends
    hours = Counter(run.created_at.hour for run in all_of(svc, select(Generation)))
    assert hours[3] < hours[12]
    away = {run.created_at.date() for run in all_of(svc, select(Generation)) if run.failure == "provider_away"}
    assert 1 <= len(away) <= 6 and (clock().date() - max(away)).days <= 4


@pytest.mark.sqlite_only("chance is drawn before any database is asked")
def test_it_is_the_same_demo_from_the_same_seed(svc, made):
    before = everything(svc)
    demo.make(svc, days=DAYS, subjects=SUBJECTS)
    sealed = {"request", "request_message"}  # sealed words differ each time
    assert {name: rows for name, rows in everything(svc).items() if name not in sealed} == {
        name: rows for name, rows in before.items() if name not in sealed
    }
    demo.make(svc, days=DAYS, subjects=SUBJECTS, seed=7)
    assert everything(svc)["generation"] != before["generation"]


# ------------------------------------------------------------------------------------------------------------- counts
def sums(svc, metric):
    query = select(UsageCount.a, func.sum(UsageCount.n)).where(UsageCount.metric == metric.value)
    return {a: int(n) for a, n in all_of(svc, query.group_by(UsageCount.a))}


def test_counts_and_rows_tell_the_same(svc, made):
    runs, kept = all_of(svc, select(Generation)), all_of(svc, select(Copy))
    by_engine = Counter(run.engine for run in runs)
    assert sums(svc, Metric.RUN) == by_engine
    assert sum(sums(svc, Metric.RUN_CONTRACT).values()) == len(runs)
    assert sums(svc, Metric.RUN_STYLE) == Counter(run.style for run in runs)
    assert sum(sums(svc, Metric.HEADSHOT).values()) == len(all_of(svc, select(HeadshotRow)))
    assert sums(svc, Metric.ERASED) == Counter(copy.kind.value for copy in kept if copy.gone_at)
    assert sum(sums(svc, Metric.TICKET).values()) == len(all_of(svc, select(Request)))
    ended = Counter(one.outcome.value for one in all_of(svc, select(Request)) if one.outcome)
    assert sums(svc, Metric.TICKET_END) == ended
    ready = Counter(run.engine for run in runs if run.state is RunState.READY)
    assert sums(svc, Metric.TOOK) == ready
    steps = sums(svc, Metric.STEP)
    funnel = [steps[step] for step in STEPS]
    assert funnel == sorted(funnel, reverse=True) and funnel[3] == made.subjects
    by_hour = {
        metric: int(n)
        for metric, n in all_of(svc, select(UsageHour.metric, func.sum(UsageHour.n)).group_by(UsageHour.metric))
    }
    assert by_hour == {"step": steps["visit"]}


@pytest.mark.sqlite_only("the rows are the same on both, and it only reads them")
def test_every_metric_is_there_in_words_of_its_own(svc, made):
    rows = all_of(svc, select(UsageCount))
    assert {row.metric for row in rows} == {metric.value for metric in Metric} - {Metric.GA_STEP.value}
    listed = {Metric.PHOTO_REFUSED: words.REFUSALS, Metric.LIMIT: words.LIMITS, Metric.DOWNLOAD: words.DOWNLOADS}
    for metric, known in listed.items():
        assert set(sums(svc, metric)) <= set(known)
    assert {row.b for row in rows if row.metric == Metric.RUN.value} <= set(words.OUTCOMES)
    for row in rows:
        assert row.demo and row.n > 0
        if row.metric in BUCKETS:
            assert row.b in BUCKETS[Metric(row.metric)].names
    assert all(row.demo and row.value >= 0 for row in all_of(svc, select(UsageLevel)))
    assert {row.metric for row in all_of(svc, select(UsageLevel))} == {"stored", "balance"}


# ---------------------------------------------------------------------------------------------- nothing real is touched
def test_it_is_rows_alone(svc, made, store):
    found = everything(svc)
    assert not any(found[name] for name in ("audit_entry", "job", "mail_out", "browser_session", "promise_day"))
    assert list(store.inventory()) == []


def test_nothing_enforces_or_measures_it(svc, clock, worker, ask, work):
    """The same answers with a demo beside a real person as without it, and not a row of it changes."""
    measured(svc, clock())  # what is looked at for the first time is noted
    before = measured(svc, clock())
    demo.make(svc, days=DAYS, subjects=SUBJECTS)
    after_it = measured(svc, clock())
    assert [told for told in zip(before[0], after_it[0], strict=True) if told[0] != told[1]] == []
    assert after_it == before
    as_made = {name: rows for name, rows in everything(svc).items() if name in DEMO_TABLES}

    run_id = ask(contract=Contract.HOUR)
    work()
    clock.advance(hours=3)
    worker.beat()
    work()
    while worker.look(tuple(JobKind)):
        pass
    swept = retention.sweep(svc)
    reconcile.compare(svc, deep=True)
    pruning.prune(svc)
    receipts.amend_due(svc)
    residue.tend(svc)

    with svc.reading() as session:
        run = session.get_one(Generation, run_id)
        theirs = session.exec(select(Copy).where(Copy.subject_id == run.subject_id)).all()
    assert theirs and all(copy.gone_at for copy in theirs) and swept.gone == 0
    now = everything(svc)
    assert not [name for name, rows in as_made.items() if set(rows) - set(now[name])]
    assert not any(made_up.WORD in row for name in ("job", "finding", "alert", "evidence") for row in now[name]
                   if name != "evidence")  # fmt: skip
    entries = now["audit_entry"]
    assert entries and not any(f"'{made_up.WORD}0" in row for row in entries)


DEMO_TABLES = tuple(name for name in writing.COLUMNS if not name.startswith("usage"))


OF_ITSELF = ("canary", "space")
"""What changes while it is looked at, and what others on this machine do."""


def measured(svc, now):
    with svc.reading() as session:
        elsewhere = residue.figures(session, now), residue.not_asked(session, {})
    late = retention.overdue(svc, than=timedelta(0))
    plan = plans.plan(svc)
    told = [(check.name, check.health, check.says) for check in doctor.examine(svc) if check.name not in OF_ITSELF]
    told += [(stand.promise.id, stand.state, stand.figure) for stand in promises.run_checks(svc, now)]
    return told, metrics.text(svc), elsewhere, late, (plan.total, plan.kept_in_all), retention.hold(svc)


@pytest.mark.sqlite_only("the rows are the same on both, and it only reads them")
def test_nobody_on_duty_hears_of_it(svc, made, clock):
    told = []

    class Bell:
        def tell(self, title, text):
            told.append(title)
            return True

    assert alerts.tell(replace(svc, notify=Bell()), clock()) == 0 and told == []


def test_no_operator_can_do_anything_about_it(svc, made, clock):
    actor = "operator:0badcafe"
    before = everything(svc)
    for ticket in all_of(svc, select(Request).where(col(Request.closed_at).is_(None))):
        for deed in (
            lambda id: requests.start(svc, id, actor),
            lambda id: requests.assign(svc, id, "0badcafe", actor),
            lambda id: requests.note(svc, id, "a note", actor),
            lambda id: requests.refuse(svc, id, ground="unfounded", actor=actor),
            lambda id: requests.retry(svc, id, actor=actor),
            lambda id: requests.withdraw(svc, id, actor=actor),
            lambda id: requests.match_claim_code(svc, id, code="x", actor=actor),
        ):
            with pytest.raises(NotAllowed, match="made up"):
                deed(ticket.id)
        assert requests.take(svc, [ticket.id], actor) == {ticket.id: made_up.REFUSED}
    late = [item.ref for item in backlog.page(svc, backlog.Wanted(queue=backlog.Queue.OVERDUE))]
    done = backlog.do(svc, backlog.Deed.ERASE, late, actor=actor)
    assert late and {one.says for one in done} == {made_up.REFUSED}
    assert everything(svc) == before


@pytest.mark.sqlite_only("the rows are the same on both, and it only reads them")
def test_a_run_of_the_demo_shows_nobodys_photos(svc, made, clock):
    """Its numbers are no proof of anything, for a request of somebody real."""
    run = all_of(svc, select(Generation))[0]
    opened = requests.open_by_hand(
        svc,
        kind=RequestKind.ERASE,
        received_at=clock(),
        words="erase it",
        actor="operator:0badcafe",
    )
    with pytest.raises(NotFound, match="opens nothing"):
        requests.match_run(svc, opened.id, run_number=run.number, about_when=run.created_at, actor="operator:0badcafe")


@pytest.mark.sqlite_only("the rows are the same on both, and it only reads them")
def test_its_receipts_say_that_they_are_made_up(svc, made):
    for receipt in all_of(svc, select(Receipt)):
        verdict = receipts.check(svc, receipts.as_file(receipt))
        assert not verdict.well
        said = Statement.of(json.loads(receipt.statement))
        assert said.copies and "made up" in said.not_proved[0].says


# ----------------------------------------------------------------------------------------------------------- the rules
def test_it_is_refused_beside_people(svc, ask):
    ask()
    before = everything(svc)
    with pytest.raises(NotAllowed, match="DATA_DIR"):
        demo.make(svc, days=2, subjects=5)
    assert everything(svc) == before


@pytest.mark.parametrize(("days", "subjects"), [(0, 5), (5, 0), (10_000, 5), (5, 10**9)])
@pytest.mark.sqlite_only("no row is written")
def test_it_has_bounds(svc, days, subjects):
    with pytest.raises(NotAllowed):
        demo.make(svc, days=days, subjects=subjects)


@pytest.mark.parametrize("longest", [Contract.PROCESS, Contract.DAY])
@pytest.mark.sqlite_only("settings alone differ")
def test_it_keeps_to_the_longest_clock_of_the_settings(limit_to, longest):
    svc = limit_to(longest_contract=longest)
    demo.make(svc, days=5, subjects=40)
    for run in all_of(svc, select(Generation)):
        assert run.contract.no_longer_than(longest)


@pytest.mark.parametrize("days", [2, 14])
@pytest.mark.sqlite_only("settings alone differ")
def test_it_keeps_to_the_longest_days_of_the_settings(limit_to, days):
    svc = limit_to(longest_days=days)
    demo.make(svc, days=5, subjects=40)
    runs = all_of(svc, select(Generation))
    assert {run.contract for run in runs} == set(svc.settings.terms.offered)
    for run in runs:
        assert run.erase_by <= run.uploaded_at + timedelta(days=days)


# ------------------------------------------------------------------------------------------------------------ removing
def test_removing_leaves_nothing(svc, clock, ask, work, given_copy):
    before = everything(svc)
    demo.make(svc, days=DAYS, subjects=SUBJECTS)
    futures.count(svc)  # as a worker does where there is much
    assert demo.remove(svc) > 3_000
    assert everything(svc) == before
    assert demo.remove(svc) == 0


def test_removing_leaves_people_alone(svc, ask, work):
    demo.make(svc, days=DAYS, subjects=SUBJECTS)
    before = everything(svc)
    ask()
    work()
    added = {name: set(rows) - set(before[name]) for name, rows in everything(svc).items()}
    demo.remove(svc)
    assert {name: set(rows) for name, rows in everything(svc).items()} == added


class Killed(BaseException):
    """What no code of ours catches."""


def after(times: int):
    left = iter(range(times - 1))

    def breath(_rows: int) -> None:
        if next(left, None) is None:
            raise Killed

    return breath


@pytest.mark.parametrize("batches", [1, 3])
def test_cut_off_while_it_is_written_it_shows_and_is_removed_or_begun_anew(svc, batches):
    before = everything(svc)
    with pytest.raises(Killed):
        demo.make(svc, days=DAYS, subjects=SUBJECTS, batch=900, breath=after(batches))
    with svc.reading() as session:
        assert made_up.is_here(session)
    half = everything(svc)
    assert half != before
    demo.make(svc, days=3, subjects=20)
    demo.remove(svc)
    assert everything(svc) == before


@pytest.mark.parametrize("batches", [2, 14])
def test_cut_off_while_it_is_removed_it_still_shows_and_goes_on(svc, batches):
    before = everything(svc)
    demo.make(svc, days=DAYS, subjects=SUBJECTS)
    with pytest.raises(Killed):
        demo.remove(svc, at_once=500, breath=after(batches))
    with svc.reading() as session:
        assert made_up.is_here(session)
    demo.remove(svc, at_once=500)
    assert everything(svc) == before


VICTIM = """
import sys
from core import bootstrap, demo
svc = bootstrap.build()
say = lambda rows: print(rows, flush=True)
if sys.argv[1] == "make":
    demo.make(svc, days=40, subjects=900, batch=700, breath=say)
else:
    demo.remove(svc, at_once=300, breath=say)
"""


def killed(deed: str, environment: dict[str, str]) -> None:
    """Of SIGKILL, after its second batch: whatever it was about to do is not done."""
    command = [sys.executable, "-c", VICTIM, deed]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as victim:
        assert victim.stdout
        victim.stdout.readline()
        victim.stdout.readline()
        victim.send_signal(signal.SIGKILL)
    assert victim.returncode == -signal.SIGKILL


def test_killed_while_writing_and_while_removing_nothing_of_it_is_left(tmp_path, database_setting):
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "DATABASE_URL": database_setting}
    settings = Settings(data_dir=tmp_path, database_url=database_setting)
    svc = bootstrap.build(settings)
    before = everything(svc)
    killed("make", environment)
    assert everything(svc) != before
    killed("remove", environment)
    left = everything(svc)
    assert left != before
    demo.remove(svc)
    assert everything(svc) == before
    svc.database.dispose()


# --------------------------------------------------------------------------------------------------------- command line
@pytest.mark.sqlite_only("what it prints")
def test_the_command_line_tells_the_rate_and_removes(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert main(["demo", "--days", "5", "--subjects", "30"]) == 0
    said = capsys.readouterr().out
    assert "rows a second" in said.replace("rows and", "rows a second and") and "demo --remove" in said
    assert main(["demo", "--remove", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] > 100
    assert main(["demo", "--remove"]) == 0
    assert "no demo" in capsys.readouterr().out


# -------------------------------------------------------------------------------------------------------------- pages
@pytest.mark.parametrize("page", ["ops_deletions", "ops_retention", "ops_usage"])
def test_pages_of_operators_show_it_and_say_so(svc, made, page):
    operators.open_link(svc, operators.make_link(svc, Role.FOUNDER).url.rpartition("/")[2], ANN)
    app.provide(svc)
    try:
        drawn = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=60)
        drawn.user = {"session": BOB, "staff": ANN}
        drawn.run()
    finally:
        app.provide(None)
    assert not drawn.exception, [shown.message for shown in drawn.exception]
    told = " ".join(element.proto.body for element in drawn.get("html"))
    assert "demo --remove" in told and SHOWN[page] in told, told


SHOWN = {"ops_deletions": "D-DEMO", "ops_retention": "proved gone", "ops_usage": "Demo data"}
