"""
Runs at a provider: each variant a task there, asked for once, waited for, fetched, kept.

    planned → intent → taken → made → kept            and from each of them: failed; from intent: unknown

* An intent is recorded before anything is sent. Whoever finds one cannot know whether it was: killed before, killed
  after, or the answer was lost. It is sent again only where that cannot cost twice (the model honours repeated keys,
  the request is the same to the byte, the key still lives); else it is `unknown`, booked as a possible cost, and the
  person decides.
* That a repetition was not taken, or refused for want of money, says nothing about the first time. Only the provider's
  own verdict on the request does.
* Where results lie is noted in the transaction that learns of it, before they are fetched, and what they cost is
  booked there, once. A result that could not be fetched yet is fetched later; what was kept is not made again.
* No thread waits for a run: a step does what is due, in short calls, and says when it wants to be called again.
  Nothing of a person is in memory in between.
* A run that is cancelled, erased or out of time stops waiting. What the provider still makes of it is looked after
  by `residue`.
"""

import base64
import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from core import attempts, copies, marks
from core.contracts import Contract
from core.db import SENDING, take_turns
from core.errors import (
    EngineError,
    EngineRefused,
    EngineUnavailable,
    InDoubt,
    NotAllowed,
    NotFound,
    NotTaken,
    ObjectDamaged,
    ObjectMissing,
)
from core.models import (
    Generation,
    JobKind,
    ProviderCopy,
    ProviderCopyKind,
    ProviderTask,
    ProviderTaskState,
    RunState,
    StageEvent,
    Subject,
)
from core.ports import Commission, Fetched, HandOver, Headshot, Provider, ProviderResult, Submission, TaskState
from core.provider import drift_guard, gate, links, residue, spending
from core.queue import Claim, enqueue
from core.services import Services

MAX_TRIES: Final = 8
"""Steps in a row that do not end, as for any run."""
TRIES: Final = 6
"""How often in a row a provider may not take it, not answer, or not give out what it made."""
PAUSE_FIRST, PAUSE_LATEST = timedelta(seconds=2), timedelta(minutes=2)
KEY_LIVES: Final = timedelta(hours=23)
"""How long a repeated key is trusted to be known: an hour less than is documented."""
DEADLINE: Final = timedelta(minutes=10)
"""From being taken to being made; from being made to being kept; and for being taken where it is not answered."""
TURN_COMES_BY: Final = timedelta(minutes=30)
"""How long a run may wait for its turn where nothing is wrong but that many wait."""
FIRST_LOOK, EVERY, LATER_EVERY = timedelta(seconds=5), timedelta(seconds=3), timedelta(seconds=10)
SLOWER_FROM: Final = timedelta(seconds=60)
AROUND: Final = tuple(timedelta(seconds=seconds) for seconds in (-2.4, -1.6, -1.0, -0.6, -0.3, 0.0, 0.3))
"""When else to look, seen from the time that the model usually takes. That is learnt from our own looks, which come
late: those before it find out by how much, and the nearer the closer."""
USUAL_OF: Final = 20
SOON: Final = timedelta(seconds=0.05)
BUSY: Final = "rate_limited"
"""A provider that turns us away because we ask too often is well."""
ENDS_DOUBT: Final = ("provider_refused",)
"""The provider's verdict on the request itself: with its key honoured, the first one had no other."""
HOPELESS: Final = ("indeterminate", "key_reused")
"""What it says of a key that will never bring more than this."""

UPLOADS_IN_DOUBT: Final = 2
"""An upload that may have left a copy is repeated once: each leaves one that nobody can erase."""
_chance = random.SystemRandom().random

S = ProviderTaskState


def plan(session: Session, run: Generation, provider: Provider) -> None:
    """One task for each variant, in the transaction that accepts the run: from now on it counts towards budgets."""
    for variant in range(1, run.variants + 1):
        session.add(
            ProviderTask(
                id=f"{run.id}-{variant}",
                generation_id=run.id,
                variant=variant,
                provider=provider.name,
                model=provider.model,
                template="",
                hand_over=provider.hand_over.value,
                state=S.PLANNED,
                planned_at=run.created_at,
            )
        )
    session.flush()


def tasks_of(session: Session, generation_id: str) -> Sequence[ProviderTask]:
    mine = select(ProviderTask).where(ProviderTask.generation_id == generation_id)
    return session.exec(mine.order_by(col(ProviderTask.variant))).all()


def drop(svc: Services, session: Session, generation_id: str, now: datetime) -> None:
    """The run is over: nothing is sent any more, nothing waited for, and no picture handed out."""
    tasks = tasks_of(session, generation_id)
    for task in tasks:
        if task.state is S.INTENT:
            _unknown(svc, session, task, now)
        elif not task.state.is_over:
            _over(session, task, S.FAILED, now, failure="cancelled")
    links.close(session, [task.id for task in tasks], now)


# -------------------------------------------------------------------------------------------------------- the worker
def step(svc: Services, claim: Claim) -> None:
    """Whatever is due of one run. Raises LeaseLost when another worker has taken over, and what may be tried again."""
    generation = attempts.begin(claim)
    if generation is None:
        return
    provider = svc.providers.get(generation.engine)
    if provider is None:  # it is not set up any more
        _end(claim, generation.id, otherwise="provider_away")
        return
    attempt = _Attempt(svc, claim, generation, provider)
    try:
        attempt.do_what_is_due()
    except attempts.Stopped:
        _stop(claim, generation.id, RunState.CANCELLED)
    except attempts.Expired:
        _stop(claim, generation.id, RunState.FAILED, failure="expired")
    else:
        attempt.settle()


def give_up(claim: Claim) -> None:
    """A run that failed in every attempt, or killed its worker each time."""
    _end(claim, claim.ref, otherwise="gave_up")


def _stop(claim: Claim, generation_id: str, state: RunState, *, failure: str | None = None) -> None:
    svc, now = claim.svc, claim.svc.clock()

    def also(session: Session) -> None:
        drop(svc, session, generation_id, now)
        if any(task.state is S.KEPT for task in tasks_of(session, generation_id)):
            enqueue(session, JobKind.DRIFT, generation_id, at=now)

    attempts.finish(claim, generation_id, state, failure=failure, also=also)


def _end(claim: Claim, generation_id: str, *, otherwise: str = "") -> None:
    """Ready with what there is; else failed, with what says most."""
    with claim.svc.reading() as session:
        tasks = tasks_of(session, generation_id)
    state, failure = outcome(tasks, otherwise=otherwise)
    _stop(claim, generation_id, state, failure=failure)


def outcome(tasks: Sequence[ProviderTask], *, otherwise: str = "") -> tuple[RunState, str | None]:
    """How a run ends whose tasks are these. `otherwise`: why those ended that had not."""
    if any(task.state is S.KEPT for task in tasks):
        return RunState.READY, None
    if any(task.state in (S.UNKNOWN, S.INTENT) for task in tasks):
        return RunState.FAILED, "unknown"
    codes = [task.failure for task in tasks if task.state is S.FAILED and task.failure]
    return RunState.FAILED, otherwise or next(iter(codes), "provider_failed")


class _Failed(Exception):
    """It cannot be sent, and never will be."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class _Attempt:
    """One step of one run."""

    svc: Services
    claim: Claim
    generation: Generation
    provider: Provider
    _waits: dict[str, datetime] = field(default_factory=dict)  # for a turn: nothing that a row has to say
    _inline: dict[str, str] = field(default_factory=dict)

    def do_what_is_due(self) -> None:
        """Raises Stopped, Expired: the person is asked between any two calls."""
        with self.svc.reading() as session:
            ids = [task.id for task in tasks_of(session, self.generation.id)]
        for task_id in ids:
            while (task := self._due(task_id)) is not None:
                attempts.stop_if_asked(self.svc, self.generation.id)
                self._move(task)
        attempts.stop_if_asked(self.svc, self.generation.id)

    def settle(self) -> None:
        """The run is over, or wants to be called again when the next thing is due, or its clock ends."""
        with self.svc.reading() as session:
            tasks = tasks_of(session, self.generation.id)
        open_ones = [task for task in tasks if not task.state.is_over]
        if not open_ones:
            _end(self.claim, self.generation.id)
            return
        now = self.svc.clock()
        due = [self._waits.get(task.id) or task.again_at or now for task in open_ones]
        with self.claim.transaction() as session:
            self.claim.again(session, after=max(min(*due, self.generation.erase_by) - now, SOON))

    def _due(self, task_id: str) -> ProviderTask | None:
        with self.svc.reading() as session:
            task = session.get_one(ProviderTask, task_id)
        now = self.svc.clock()
        waits_until = self._waits.get(task_id) or task.again_at
        return None if task.state.is_over or (waits_until is not None and waits_until > now) else task

    def _move(self, task: ProviderTask) -> None:
        match task.state:
            case S.PLANNED:
                self._send(task)
            case S.INTENT:
                self._resolve(task)
            case S.TAKEN:
                self._look(task)
            case S.MADE:
                self._fetch(task)

    @contextmanager
    def _changing(self, task: ProviderTask) -> Iterator[tuple[Session, ProviderTask, datetime]]:
        """The row, in a transaction that commits only while the run is ours."""
        with self.claim.transaction() as session:
            row = session.get_one(ProviderTask, task.id, with_for_update=True)
            yield session, row, self.svc.clock()
            session.add(row)

    # ------------------------------------------------------------------------------------------------- sending it
    def _send(self, task: ProviderTask) -> None:
        with self.svc.reading() as session:  # before a photo is decoded; asked again when it matters
            wait = gate.may_send(session, self.provider, self.svc.settings, self.svc.clock())
        if wait is not None:
            self._wait_for_a_turn(task, wait)
            return
        try:
            commission = self._commission(task)
        except _Failed as exc:
            self._fail_unsent(exc.code)
            return
        if commission is not None and self._intend(task, commission):
            self._submit(task, commission)

    def _wait_for_a_turn(self, task: ProviderTask, wait: timedelta) -> None:
        now = self.svc.clock()
        if now + wait >= task.planned_at + (TURN_COMES_BY if wait <= gate.WINDOW else DEADLINE):
            self._fail_unsent("provider_away")
        else:
            self._waits[task.id] = now + wait * (1 + _chance())  # so that not all come at once

    def _intend(self, task: ProviderTask, commission: Commission) -> bool:
        """Recorded before it is sent: from here on nobody can know whether it was. False: not now."""
        over = None
        with self.claim.transaction() as session:
            take_turns(session, SENDING)
            now = self.svc.clock()
            attempts.require_wanted(session.get_one(Generation, self.generation.id), now)
            wait = gate.may_send(session, self.provider, self.svc.settings, now)
            over = gate.over_budget(session, self.provider, now, self.svc.settings)
            if wait is None and over is None:
                row = session.get_one(ProviderTask, task.id)
                row.state, row.sent_at, row.again_at, row.body_hash = S.INTENT, now, None, _hash(commission)
                row.model, row.template, row.hand_over = commission.model, commission.template, self.provider.hand_over
                session.add(row)
                self._enter(session, "sending")
                return True
        if over is not None:
            self._fail_unsent("provider_budget")
        elif wait is not None:
            self._wait_for_a_turn(task, wait)
        return False

    def _submit(self, task: ProviderTask, commission: Commission, *, again: bool = False) -> None:
        try:
            answer = self.provider.submit(commission, key=task.id)
        except NotTaken as exc:
            self._not_taken(task, exc, again=again)
        except EngineRefused as exc:
            self._refused(task, exc, again=again)
        except (InDoubt, EngineUnavailable) as exc:
            self._in_doubt(task, exc)
        else:
            self._taken(task, answer)

    def _taken(self, task: ProviderTask, answer: Submission) -> None:
        with self._changing(task) as (session, row, now):
            row.state, row.taken_at, row.task_id, row.request_ref = S.TAKEN, now, answer.task_id, answer.request_ref
            row.tries, row.again_at = 0, now + next_look(timedelta(0), self._usual(session))
            self._enter(session, "waiting")
            if answer.task_id is None:
                self._made(session, row, answer.results, None, now)
            gate.note_success(session, self.provider.name, now)

    def _not_taken(self, task: ProviderTask, exc: NotTaken, *, again: bool) -> None:
        with self._changing(task) as (session, row, now):
            row.tries += 1
            pause = _pause(row.tries, exc.after)
            too_late = row.tries >= TRIES or now + pause >= (now if again else row.planned_at) + DEADLINE
            if again and too_late:
                _unknown(self.svc, session, row, now)
            elif too_late:
                _over(session, row, S.FAILED, now, failure="provider_away")
            else:
                row.state = S.INTENT if again else S.PLANNED
                row.uploads_in_doubt = max(row.uploads_in_doubt - 1, 0)  # this upload has left nothing
                row.again_at = now + pause
            self._note_failure(session, exc, now)

    def _refused(self, task: ProviderTask, exc: EngineRefused, *, again: bool) -> None:
        """What is refused for good is not asked for three times more."""
        with self._changing(task) as (session, row, now):
            if again and exc.code not in ENDS_DOUBT:
                _unknown(self.svc, session, row, now)
            else:
                _over(session, row, S.FAILED, now, failure=_failure(exc))
            if exc.code in (*ENDS_DOUBT, "provider_failed"):
                gate.note_success(session, self.provider.name, now)
            else:  # our key, our balance: no run will fare better
                gate.note_failure(session, self.provider.name, now, exc.code)
        self._fail_unsent(_failure(exc))

    def _in_doubt(self, task: ProviderTask, exc: EngineError) -> None:
        with self._changing(task) as (session, row, now):
            row.tries += 1
            if exc.code in HOPELESS or row.tries >= TRIES or not self._may_repeat(row, now):
                _unknown(self.svc, session, row, now)
            else:
                row.again_at = now + _pause(row.tries, None)
            self._note_failure(session, exc, now)

    def _may_repeat(self, task: ProviderTask, now: datetime) -> bool:
        return self.provider.honours_keys and task.sent_at is not None and now - task.sent_at < KEY_LIVES

    def _resolve(self, task: ProviderTask) -> None:
        """It may have been sent: once more, if that can only be the same; else nobody will ever know."""
        if self._may_repeat(task, self.svc.clock()):
            with suppress(_Failed):
                commission = self._commission(task)
                if commission is not None and _hash(commission) == task.body_hash:
                    self._submit(task, commission, again=True)
                    return
        with self._changing(task) as (session, row, now):
            _unknown(self.svc, session, row, now)

    def _fail_unsent(self, code: str) -> None:
        """What has not been sent is not sent."""
        with self.claim.transaction() as session:
            now = self.svc.clock()
            for row in tasks_of(session, self.generation.id):
                if row.state is S.PLANNED:
                    _over(session, row, S.FAILED, now, failure=code)

    # ---------------------------------------------------------------------------------------- what is handed over
    def _commission(self, task: ProviderTask) -> Commission | None:
        """None: it has to wait, which is noted. Raises _Failed."""
        run = self.generation
        try:
            pictures = self._pictures(task)
            if pictures is None:
                return None
            return self.provider.commission(
                ratio=run.ratio,
                long_side=run.long_side,
                style=run.style,
                purpose=run.purpose,
                backdrop=run.backdrop,
                note=self._note(),
                variant=task.variant,
                portrait=pictures[run.portrait_id],
                clothing=pictures[run.clothing_id] if run.clothing_id else None,
                backdrop_image=pictures[run.backdrop_id] if run.backdrop_id else None,
            )
        except ObjectMissing:
            raise _Failed("upload_lost") from None
        except ObjectDamaged as exc:
            raise _Failed(exc.code) from None
        except NotFound:
            raise _Failed("photo_erased") from None
        except EngineRefused as exc:
            raise _Failed(_failure(exc)) from None

    def _note(self) -> str:
        if self.generation.sealed_note is None:
            return ""
        with self.svc.reading() as session:
            subject = session.get_one(Subject, self.generation.subject_id)
        return self.svc.vault.open_text(subject, self.generation.sealed_note)

    def _pictures(self, task: ProviderTask) -> dict[str, str] | None:
        """The address of each upload, as the provider is given it."""
        run = self.generation
        ids = [copy_id for copy_id in (run.portrait_id, run.clothing_id, run.backdrop_id) if copy_id]
        match self.provider.hand_over:
            case HandOver.LINK:
                return self._linked(task, ids)
            case HandOver.INLINE:
                return {copy_id: self._as_data(copy_id) for copy_id in ids}
            case HandOver.UPLOAD:
                found = {copy_id: self._uploaded(task, copy_id) for copy_id in ids}
                whole = {copy_id: url for copy_id, url in found.items() if url is not None}
                return whole if len(whole) == len(ids) else None

    def _linked(self, task: ProviderTask, ids: list[str]) -> dict[str, str]:
        try:
            with self.claim.transaction() as session:
                now = self.svc.clock()
                return {copy_id: links.offer(self.svc, session, task, copy_id, now) for copy_id in ids}
        except NotAllowed:
            raise _Failed("hand_over_failed") from None

    def _as_data(self, copy_id: str) -> str:
        if copy_id not in self._inline:
            text = base64.b64encode(self._for_sending(copy_id)).decode()
            self._inline[copy_id] = f"data:image/jpeg;base64,{text}"
        return self._inline[copy_id]

    def _for_sending(self, copy_id: str) -> bytes:
        return self.provider.for_sending(copies.read_upload(self.svc, copy_id))

    def _uploaded(self, task: ProviderTask, copy_id: str) -> str | None:
        """Where the provider has it: uploaded once for a run, however many variants. None: not yet."""
        if known := self._known_upload(copy_id):
            return known
        if task.state is not S.PLANNED:  # another copy would have another address: not the same request
            raise _Failed("hand_over_failed")
        picture = self._for_sending(copy_id)
        self._about_to_upload(task)
        try:
            result = self.provider.upload(picture)
        except NotTaken as exc:
            self._not_taken(task, exc, again=False)
        except (InDoubt, EngineUnavailable) as exc:
            self._upload_in_doubt(task, exc)
        except EngineRefused:
            raise _Failed("hand_over_failed") from None
        else:
            self._note_upload(task, copy_id, result)
            return result.url
        return None

    def _known_upload(self, copy_id: str) -> str | None:
        there = select(ProviderCopy).where(
            ProviderCopy.generation_id == self.generation.id,
            ProviderCopy.copy_id == copy_id,
            col(ProviderCopy.expires_at) > self.svc.clock() + DEADLINE,
        )
        with self.svc.reading() as session:
            found = session.exec(there).first()
        return None if found is None else _address(self.svc, found)

    def _about_to_upload(self, task: ProviderTask) -> None:
        """At most one repetition of an upload that may have left a copy. Raises _Failed."""
        with self._changing(task) as (_, row, _now):
            if row.uploads_in_doubt >= UPLOADS_IN_DOUBT:
                raise _Failed("hand_over_failed")
            row.uploads_in_doubt += 1

    def _upload_in_doubt(self, task: ProviderTask, exc: EngineError) -> None:
        with self._changing(task) as (session, row, now):
            row.tries += 1
            row.again_at = now + _pause(row.tries, None)
            if row.uploads_in_doubt >= UPLOADS_IN_DOUBT:
                _over(session, row, S.FAILED, now, failure="hand_over_failed")
            self._note_failure(session, exc, now)

    def _note_upload(self, task: ProviderTask, copy_id: str, result: ProviderResult) -> None:
        with self._changing(task) as (session, row, now):
            noted = residue.note(session, self.svc, row, ProviderCopyKind.UPLOAD, result, now)
            noted.copy_id, row.uploads_in_doubt = copy_id, 0
            session.add(noted)

    # ---------------------------------------------------------------------------------------------- waiting for it
    def _look(self, task: ProviderTask) -> None:
        assert task.task_id is not None and task.taken_at is not None
        try:
            report = self.provider.task(task.task_id)
        except (NotTaken, EngineUnavailable) as exc:
            self._not_seen(task, exc)
            return
        with self._changing(task) as (session, row, now):
            row.looks, row.tries = row.looks + 1, 0
            row.request_ref = report.request_ref or row.request_ref
            if report.state is TaskState.DONE:
                self._made(session, row, report.results, report.cost, now)
            elif report.state is TaskState.WAITING:
                self._wait_on(session, row, now)
            else:
                row.cost = report.cost
                if report.cost:
                    spending.charge(session, row, now)
                _over(session, row, S.FAILED, now, failure=report.failure or "provider_failed")
            gate.note_success(session, self.provider.name, now)

    def _wait_on(self, session: Session, row: ProviderTask, now: datetime, after: float | None = None) -> None:
        assert row.taken_at is not None
        waited = now - row.taken_at
        if waited >= DEADLINE:
            _over(session, row, S.FAILED, now, failure="provider_slow")
            return
        pause = next_look(waited, self._usual(session))
        asked_for = timedelta(seconds=after or 0)
        row.again_at = min(now + max(pause, asked_for), row.taken_at + DEADLINE)

    def _not_seen(self, task: ProviderTask, exc: NotTaken | EngineUnavailable) -> None:
        """That it is not answered says nothing about the task."""
        with self._changing(task) as (session, row, now):
            row.tries += 1
            self._wait_on(session, row, now, after=getattr(exc, "after", None))
            self._note_failure(session, exc, now)

    def _made(
        self, session: Session, row: ProviderTask, results: Sequence[ProviderResult], cost: int | None, now: datetime
    ) -> None:
        """Noted and booked in one transaction with the move, and so once."""
        row.state, row.made_at, row.cost, row.tries, row.again_at = S.MADE, now, cost, 0, None
        for result in results:
            residue.note(session, self.svc, row, ProviderCopyKind.RESULT, result, now)
        if cost is None:
            spending.doubt(session, row, now, self.provider.price)
        else:
            spending.charge(session, row, now)
        if results:
            self._enter(session, "fetching")
        else:
            _over(session, row, S.FAILED, now, failure="provider_failed")

    def _usual(self, session: Session) -> timedelta:
        """How long this model has taken lately, as far as our own looks can tell: a quarter were quicker. As it is
        listed, where it has made nothing yet."""
        task = ProviderTask
        lately = (
            select(task.taken_at, task.made_at)
            .where(task.provider == self.provider.name, task.model == self.provider.model)
            .where(col(task.state).in_((S.MADE, S.KEPT)), col(task.sent_at).is_not(None))
            .order_by(col(task.sent_at).desc())
            .limit(USUAL_OF)
        )
        took = sorted(made - taken for taken, made in session.exec(lately).all() if taken and made)
        return took[len(took) // 4] if took else self.provider.usual

    # ------------------------------------------------------------------------------------------------ fetching it
    def _fetch(self, task: ProviderTask) -> None:
        if not self._is_kept(task):
            fetched = self._first_that_is_good(task)
            if fetched is None:
                return
            attempts.keep(self.svc, self.claim, self.generation, self._headshot(task, fetched))
            if self.generation.contract is Contract.PROCESS:  # the photo goes when the run ends
                drift_guard.note(self.svc, self.claim, self.generation, task.variant, fetched.data)
        with self._changing(task) as (session, row, now):
            _over(session, row, S.KEPT, now)

    def _is_kept(self, task: ProviderTask) -> bool:
        with self.svc.reading() as session:
            return task.variant in attempts.kept_variants(session, task.generation_id)

    def _first_that_is_good(self, task: ProviderTask) -> Fetched | None:
        """None: there is none, or none yet; either is noted."""
        away: EngineError | None = None
        for url in self._addresses(task):
            try:
                return self._marked(task, self.provider.fetch(url))
            except EngineRefused:
                continue
            except (EngineUnavailable, NotTaken) as exc:
                away = exc
        with self._changing(task) as (session, row, now):
            row.tries += 1
            row.again_at = now + _pause(row.tries, None)
            if away is None:
                _over(session, row, S.FAILED, now, failure="result_refused")
            elif row.made_at is None or now >= row.made_at + DEADLINE:
                _over(session, row, S.FAILED, now, failure="provider_away")
            if away is not None:
                self._note_failure(session, away, now)
        return None

    def _marked(self, task: ProviderTask, fetched: Fetched) -> Fetched:
        """It says of itself that it was drawn, if its maker has not signed that. Raises EngineRefused."""
        says = marks.generated(by=self.provider.title, model=task.model, at=task.made_at or self.svc.clock())
        return replace(fetched, data=marks.provider(fetched.data, fetched.media_type, says))

    def _addresses(self, task: ProviderTask) -> list[str]:
        mine = ProviderCopy.task_id == task.id, ProviderCopy.kind == ProviderCopyKind.RESULT
        with self.svc.reading() as session:
            found = session.exec(select(ProviderCopy).where(*mine).order_by(col(ProviderCopy.noted_at))).all()
        return [url for url in (_address(self.svc, each) for each in found) if url is not None]

    def _headshot(self, task: ProviderTask, fetched: Fetched) -> Headshot:
        return Headshot(
            variant=task.variant,
            data=fetched.data,
            width=fetched.width,
            height=fetched.height,
            media_type=fetched.media_type,
        )

    # ---------------------------------------------------------------------------------------------------- telling
    def _enter(self, session: Session, stage: str) -> None:
        """Once for a run: its variants go through it one after the other."""
        run_id = self.generation.id
        known = select(StageEvent.id).where(StageEvent.generation_id == run_id, StageEvent.stage == stage)
        if session.exec(known).first() is None:
            session.add(StageEvent(generation_id=run_id, stage=stage, entered_at=self.svc.clock()))

    def _note_failure(self, session: Session, exc: EngineError, now: datetime) -> None:
        if exc.code != BUSY:
            gate.note_failure(session, self.provider.name, now, exc.code)


def _over(
    session: Session, task: ProviderTask, state: ProviderTaskState, now: datetime, *, failure: str | None = None
) -> None:
    task.state, task.failure, task.ended_at, task.again_at = state, failure, now, None
    session.add(task)


def _unknown(svc: Services, session: Session, task: ProviderTask, now: datetime) -> None:
    provider = svc.providers.get(task.provider)
    spending.doubt(session, task, now, provider.price if provider else 0)
    _over(session, task, S.UNKNOWN, now, failure="unknown")


def next_look(waited: timedelta, usual: timedelta, chance: Callable[[], float] = _chance) -> timedelta:
    """How long until the next look at a task that was taken so long ago."""
    every = EVERY if waited < SLOWER_FROM else LATER_EVERY
    pause = FIRST_LOOK if waited < SOON else every * (0.9 + 0.2 * chance())
    around = [usual + offset - waited for offset in AROUND]
    return min([pause, *(each for each in around if each > 4 * SOON)])


def _pause(tries: int, after: float | None) -> timedelta:
    """As long as it is asked to be, or twice as long each time."""
    if after is not None:
        return max(timedelta(seconds=after), SOON)
    return min(PAUSE_FIRST * (1 << min(tries - 1, 10)), PAUSE_LATEST)


def _failure(exc: EngineError) -> str:
    return exc.code if exc.code in ("provider_refused", "hand_over_failed") else "provider_failed"


def _hash(commission: Commission) -> str:
    return hashlib.sha256(commission.body).hexdigest()


def _address(svc: Services, copy: ProviderCopy) -> str | None:
    return None if copy.sealed_url is None else svc.vault.open_text(copy, copy.sealed_url)
