"""What goes when, told by the database in one pass, under this promise or another; and counts that stay bounded."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from core import backlog, canary, erasing, futures, jobs, retention
from core.backlog import Deed, Queue, Wanted
from core.contracts import Contract, Terms
from core.futures import Cell, Count
from core.models import Copy, CopyKind, FindingKind, FindingRow, ForecastRow, Subject, new_id
from core.services import Services
from tests.conftest import BOB
from tests.fakes import FrozenClock, MemoryStore, jpeg

TODAY = date(2026, 3, 2)  # of the standing clock
Asks = Callable[..., str]
Works = Callable[[], int]


def cells(svc: Services) -> dict[tuple[date, CopyKind, Contract | None], int]:
    found = futures.forecast(svc)
    assert found is not None
    return {(cell.day, cell.kind, cell.contract): cell.copies for cell in found.cells}


def kept(svc: Services, *, erase_by_in: timedelta, kind: CopyKind = CopyKind.HEADSHOT, **values: object) -> str:
    """A copy of no run."""
    now = svc.clock()
    with svc.transaction() as session:
        subject = Subject(id=new_id(), created_at=now)
        subject.sealed_key = svc.vault.make_key(subject.id)
        session.add(subject)
        session.flush()
        row = Copy(
            subject_id=subject.id,
            kind=kind,
            place="vault",
            object_key=new_id() + "00000000",
            media_type="image/jpeg",
            width=1,
            height=1,
            size=10,
            created_at=now - timedelta(hours=1),
            written_at=now - timedelta(hours=1),
            erase_by=now + erase_by_in,
        )
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)
        return row.id


def ids(svc: Services, queue: Queue, **wanted: object) -> list[str]:
    return [item.ref for item in backlog.page(svc, Wanted(queue=queue, **wanted))]  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------------ forecast
def test_each_copy_is_told_by_its_day_kind_and_contract(svc: Services, ask: Asks, work: Works) -> None:
    ask(contract=Contract.WEEK, variants=3, backdrop="own", backdrop_image=jpeg())
    ask(who=BOB, contract=Contract.DAY, variants=1)
    work()
    assert cells(svc) == {
        (TODAY + timedelta(days=7), CopyKind.PORTRAIT, Contract.WEEK): 1,
        (TODAY + timedelta(days=7), CopyKind.BACKDROP, Contract.WEEK): 1,
        (TODAY + timedelta(days=7), CopyKind.HEADSHOT, Contract.WEEK): 3,
        (TODAY + timedelta(days=1), CopyKind.PORTRAIT, Contract.DAY): 1,
        (TODAY + timedelta(days=1), CopyKind.HEADSHOT, Contract.DAY): 1,
    }


def test_an_upload_of_two_runs_goes_with_the_longer(svc: Services, ask: Asks, again: Asks, work: Works) -> None:
    first = ask(contract=Contract.DAY, variants=1)
    work()
    second = again(like=first, variants=1)
    work()
    retention.shorten(svc, second, Contract.HOUR)
    found = cells(svc)
    assert found[TODAY + timedelta(days=1), CopyKind.PORTRAIT, Contract.DAY] == 1
    assert found[TODAY, CopyKind.HEADSHOT, Contract.HOUR] == 1


def test_days_are_those_of_utc(svc: Services, clock: FrozenClock) -> None:
    clock.now = clock.now.replace(hour=23, minute=59)
    kept(svc, erase_by_in=timedelta(0))
    kept(svc, erase_by_in=timedelta(minutes=1))
    assert cells(svc) == {(TODAY, CopyKind.HEADSHOT, None): 1, (TODAY + timedelta(days=1), CopyKind.HEADSHOT, None): 1}


def test_what_is_gone_and_canaries_are_left_out(svc: Services, ask: Asks, work: Works) -> None:
    retention.erase_run(svc, ask())
    work()
    canary.release(svc)
    found = futures.forecast(svc)
    assert found is not None
    assert found.cells == ()
    stand = futures.figures(svc)
    assert (stand.next_day, stand.overdue, stand.oldest_kept_for) == (Count(0), Count(0), None)


def test_many_copies_are_counted_by_the_worker_and_read_by_the_page(
    svc: Services, clock: FrozenClock, ask: Asks, work: Works
) -> None:
    ask(variants=2)
    work()
    assert futures.forecast(svc, most=2) is None
    assert not futures.tend(svc, most=3)
    assert futures.tend(svc, most=2)
    counted_at = clock.now
    clock.advance(minutes=4)
    assert not futures.tend(svc, most=2)
    found = futures.forecast(svc, most=2)
    assert found is not None
    assert (found.copies, found.counted_at) == (3, counted_at)
    now = futures.forecast(svc)
    assert now == replace(found, counted_at=clock.now)
    clock.advance(minutes=2)
    assert futures.tend(svc, most=2)


def test_what_takes_long_to_count_is_counted_seldom(svc: Services, clock: FrozenClock) -> None:
    kept(svc, erase_by_in=timedelta(days=1))
    with svc.transaction() as session:
        session.add(ForecastRow(name=futures.ROW, counted_at=clock.now, took_ms=8000, cells="[]"))
    clock.advance(minutes=13)
    assert not futures.tend(svc, most=0)
    clock.advance(minutes=1)
    assert futures.tend(svc, most=0)


def test_the_sweep_counts_what_a_page_could_not(svc: Services, work: Works, clock: FrozenClock) -> None:
    first = kept(svc, erase_by_in=timedelta(days=1))
    with svc.transaction() as session:
        values = session.get_one(Copy, first).model_dump()
        ids = (f"{number:032x}" for number in range(futures.FEW))
        rows = [values | {"id": each, "object_key": each + "00000000"} for each in ids]
        session.execute(sa.insert(Copy), rows)
    assert futures.forecast(svc) is None
    jobs.Worker(svc).beat()
    work()
    found = futures.forecast(svc)
    assert found is not None
    assert (found.copies, found.counted_at) == (futures.FEW + 1, clock.now)
    assert futures.figures(svc).next_day == Count(futures.MOST, is_more=True)


# ------------------------------------------------------------------------------------------------------------ what if
def of(days: int, contract: Contract | None, copies: int = 1) -> Cell:
    return Cell(TODAY + timedelta(days=days), CopyKind.PORTRAIT, contract, copies, 10 * copies)


def terms(early: timedelta) -> Terms:
    return Terms(longest=Contract.MONTH, longest_days=30, early=early)


@pytest.mark.parametrize("early", [timedelta(0), timedelta(hours=24)])
def test_a_shorter_promise_moves_what_was_promised_longer(early: timedelta) -> None:
    cells = [of(29, Contract.MONTH), of(20, Contract.MONTH), of(5, Contract.WEEK), of(0, Contract.DAY), of(3, None)]
    days = [(cell.day - TODAY).days for cell in futures.what_if(cells, Contract.WEEK, terms=terms(early))]
    assert days == [6, -3, 5, 0, 3]
    assert [(cell.day - TODAY).days for cell in futures.from_today(cells, TODAY)] == [29, 20, 5, 0, 3]


def test_nothing_is_ever_kept_longer_and_nothing_is_lost() -> None:
    cells = [of(day, contract, 3) for day in range(30) for contract in Contract]
    for longest in Contract:
        shifted = futures.what_if(cells, longest, terms=terms(timedelta(hours=24)))
        assert all(after.day <= before.day for before, after in zip(cells, shifted, strict=True))
        assert sum(cell.copies for cell in shifted) == sum(cell.copies for cell in cells)
    assert futures.what_if(cells, Contract.MONTH, terms=terms(timedelta(0))) == tuple(cells)


def test_by_a_day_so_many_are_gone() -> None:
    cells = [of(0, Contract.DAY, 2), of(3, Contract.WEEK, 5), of(9, Contract.MONTH, 7)]
    assert futures.by(cells, TODAY - timedelta(days=1)) == (0, 14)
    assert futures.by(cells, TODAY + timedelta(days=3)) == (7, 7)
    assert futures.by(cells, TODAY + timedelta(days=9)) == (14, 0)


# ------------------------------------------------------------------------------------------------------------ figures
def test_the_figures_on_top(svc: Services, store: MemoryStore, clock: FrozenClock) -> None:
    kept(svc, erase_by_in=timedelta(hours=-3))
    kept(svc, erase_by_in=timedelta(minutes=-9))  # the sweep is on its way
    kept(svc, erase_by_in=timedelta(hours=23))
    kept(svc, erase_by_in=timedelta(hours=25), created_at=clock.now - timedelta(days=27, hours=4))
    kept(svc, erase_by_in=timedelta(hours=-3), kind=CopyKind.CANARY)
    stand = futures.figures(svc)
    assert (stand.overdue, stand.overdue_by) == (Count(1), timedelta(hours=3))
    assert (stand.next_day, stand.unproved) == (Count(1), Count(0))
    assert (stand.oldest_kept_for, stand.promise) == (timedelta(days=27, hours=4), timedelta(days=30))
    store.erases_nothing = True
    store.objects |= {copy.object_key: b"x" for copy in _rows(svc)}
    retention.sweep(svc)
    stand = futures.figures(svc)
    assert stand.unproved == Count(2)
    assert stand.sweep is not None


def _rows(svc: Services) -> list[Copy]:
    with svc.reading() as session:
        return list(session.exec(select(Copy)).all())


def test_counts_stop_at_their_bound(svc: Services) -> None:
    for _ in range(3):
        kept(svc, erase_by_in=timedelta(hours=-1))
    with svc.reading() as session:
        counted = [str(futures.count_up_to(session, futures.of_people(), most)) for most in (2, 3, 4)]
    assert counted == ["2+", "3", "3"]


# ------------------------------------------------------------------------------------------------------------- queues
def test_each_copy_is_in_the_queue_that_says_what_it_waits_for(svc: Services) -> None:
    asked = {"probe_answer": "head says unknown, listing says absent", "probes": 1}
    now = svc.clock()
    later = kept(svc, erase_by_in=timedelta(days=3))
    coming = kept(svc, erase_by_in=timedelta(hours=1))
    due = kept(svc, erase_by_in=timedelta(minutes=-1))
    overdue = kept(svc, erase_by_in=timedelta(minutes=-11))
    blocked = kept(svc, erase_by_in=timedelta(minutes=-2), probe_answer="storage could not be reached")
    unproved = kept(svc, erase_by_in=timedelta(minutes=-3), erased_at=now, **asked)
    assert {queue: ids(svc, queue) for queue in Queue if queue.finding is None} == {
        Queue.COMING: [coming],
        Queue.DUE: [blocked, due],
        Queue.OVERDUE: [overdue],
        Queue.BLOCKED: [blocked],
        Queue.UNPROVED: [unproved],
    }
    everything = {ref: ids_of(svc, ref) for ref in (later, coming, due, overdue, blocked, unproved)}
    assert everything == {
        later: None,
        coming: Queue.COMING,
        due: Queue.DUE,
        overdue: Queue.OVERDUE,
        blocked: Queue.BLOCKED,
        unproved: Queue.UNPROVED,
    }
    assert backlog.counts(svc)[Queue.DUE] == Count(2)


def ids_of(svc: Services, ref: str) -> Queue | None:
    (item,) = backlog.page(svc, Wanted(id=ref))
    assert item.ref == ref
    return item.queue


def test_while_erasing_is_stopped_all_that_is_due_is_blocked(svc: Services) -> None:
    due = kept(svc, erase_by_in=timedelta(minutes=-1))
    assert ids(svc, Queue.BLOCKED) == []
    erasing.stop(svc, reason="drill", actor="system")
    assert ids(svc, Queue.BLOCKED) == [due]
    assert backlog.page(svc, Wanted(queue=Queue.BLOCKED))[0].why == "all erasing is stopped"


def test_a_queue_is_filtered_by_kind_and_leafed_through(svc: Services) -> None:
    heads = [kept(svc, erase_by_in=timedelta(minutes=-each)) for each in range(1, 6)]
    portrait = kept(svc, erase_by_in=timedelta(minutes=-1), kind=CopyKind.PORTRAIT)
    assert ids(svc, Queue.DUE, kind=CopyKind.PORTRAIT) == [portrait]
    wanted = Wanted(queue=Queue.DUE, kind=CopyKind.HEADSHOT)
    leafed = [[item.ref for item in backlog.page(svc, wanted, number=at, size=2)] for at in (1, 2, 3, 4)]
    assert [ref for page in leafed for ref in page] == heads[::-1]
    assert [len(page) for page in leafed] == [2, 2, 1, 0]
    assert [item.ref for item in backlog.matching(svc, wanted)] == heads[::-1]


def test_a_person_a_run_and_its_number_are_found(svc: Services, ask: Asks, work: Works) -> None:
    run_id = ask(variants=2)
    work()
    with svc.reading() as session:
        run = session.get_one(futures.Generation, run_id)
    for sought in (run.id, run.number, run.number.lower(), run.subject_id):
        found = backlog.page(svc, Wanted(id=sought))
        assert sorted(item.kind or "" for item in found) == ["headshot", "headshot", "portrait"], sought
    assert [item.ref for item in backlog.page(svc, Wanted(id=run.portrait_id))] == [run.portrait_id]


@pytest.mark.parametrize("words", [{"id": "a b"}, {"id": "x" * 65}, {"queue": "all"}, {"kind": "face"}])
def test_other_words_are_refused(words: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Wanted.of_words(words)


def test_words_come_back_as_they_went() -> None:
    wanted = Wanted(queue=Queue.ZOMBIE, kind=CopyKind.HEADSHOT, id="abc")
    assert Wanted.of_words(wanted.as_words()) == wanted
    assert Wanted.of_words({}) == Wanted()


# -------------------------------------------------------------------------------------------------------------- deeds
def test_a_stale_choice_never_erases_what_is_not_due(svc: Services, ask: Asks, work: Works, store: MemoryStore) -> None:
    ask(variants=1)
    work()
    copies = [copy.id for copy in _rows(svc)]
    done = backlog.do(svc, Deed.ERASE, copies, actor="operator:x")
    assert {one.says for one in done} == {"left alone: it is not due"}
    assert len(store.objects) == 2


def test_progress_is_told_batch_by_batch(svc: Services) -> None:
    refs = [kept(svc, erase_by_in=timedelta(minutes=-1)) for _ in range(25)]
    told: list[tuple[int, int]] = []
    done = backlog.do(svc, Deed.ERASE, refs, actor="operator:x", progress=lambda *step: told.append(step))
    assert told == [(20, 25), (25, 25)]
    assert all(one.well for one in done)
    again = backlog.do(svc, Deed.ERASE, refs[:1], actor="operator:x")
    assert again[0].says == "was gone already"


def test_a_mend_that_is_refused_says_why(svc: Services) -> None:
    for _ in range(21):
        ref = kept(svc, erase_by_in=timedelta(days=1))
        with svc.transaction() as session:
            session.add(
                FindingRow(
                    kind=FindingKind.MISSING,
                    ref=ref,
                    size=1,
                    detail="no object",
                    first_seen_at=svc.clock(),
                    last_seen_at=svc.clock(),
                )
            )
    (done,) = backlog.do(svc, Deed.MEND, [ref], actor="operator:x", finding=FindingKind.MISSING)
    assert not done.well
    assert "21 of 21 images are missing" in done.says
    assert len(ids(svc, Queue.MISSING)) == 21


def test_a_name_in_the_csv_is_no_formula(svc: Services) -> None:
    with svc.transaction() as session:
        session.add(
            FindingRow(
                kind=FindingKind.UNTRACKED,
                ref="=1+1",
                size=1,
                detail="no row",
                first_seen_at=svc.clock(),
                last_seen_at=svc.clock(),
            )
        )
    (item,) = backlog.matching(svc, Wanted(queue=Queue.UNTRACKED))
    assert backlog.as_row(item)[0] == "'=1+1"
    assert len(backlog.as_row(item)) == len(backlog.COLUMNS)
