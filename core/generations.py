"""
Generations: a run from the button to its headshots.

The row is the truth and the worker may be killed between any two lines:

* `request` records everything first (consent, copies, run, and a job that starts a little later), then writes the
  upload, then lets the run start. A server that dies in between leaves a run that the worker picks up by itself: if
  the upload is whole it is made, else it fails with a sentence, gives the allowance back, and its copies have clocks.
* `run` makes what is missing. A headshot's row is written before its bytes and there is one per variant, so an
  attempt that follows a killed one repeats no variant and doubles none.
* A run that is cancelled, or whose owner erased everything, stops between two stages. What still arrives is erased on
  arrival.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import access, attempts, audit, copies, drift, policy, retention
from core.abuse import blocks
from core.contracts import Contract
from core.db import take_turns
from core.errors import (
    Busy,
    EngineRefused,
    LimitReached,
    NotAllowed,
    NotFound,
    ObjectDamaged,
    ObjectMissing,
    StorageError,
)
from core.language import _, current
from core.models import (
    LIVE,
    Consent,
    Copy,
    CopyKind,
    EraseReason,
    Generation,
    HeadshotRow,
    JobKind,
    RunState,
    StageEvent,
    Subject,
    new_id,
)
from core.ports import Engine, Framing, Headshot, Order, Stage
from core.provenance import certificates, signing
from core.provider import gate
from core.provider import runs as provider_runs
from core.queue import Claim, enqueue, enqueue_run
from core.services import Services
from core.usage import noting

UPLOAD_GRACE = timedelta(seconds=30)
"""How long an upload may take to reach the vault before the worker looks after the run itself."""
MAX_TRIES = 8  # with their pauses some four minutes: a storage that is away for a moment loses no run
MAX_VARIANTS = 4


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A cleaned image on its way into the vault."""

    kind: CopyKind
    data: bytes = field(repr=False)
    width: int
    height: int
    received_at: datetime
    original_hash: str | None = field(default=None, repr=False)  # keyed, of the file as it was uploaded


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the person chose, in ids of the catalogue."""

    purpose: str
    style: str
    backdrop: str
    variants: int
    engine: str
    contract: Contract
    ratio: str
    long_side: int
    framing: Framing = field(default_factory=Framing)
    note: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The two boxes."""

    may_use_photo: bool
    is_adult: bool


def request(
    svc: Services,
    session_hash: str,
    *,
    request_id: str,
    uploads: Sequence[Upload],
    choices: Choices,
    agreement: Agreement,
    counted: bool = True,
) -> str:
    """Start a run with a new photo. The same `request_id` twice is one run. Gives the generation's id.

    `counted`: False where their browser says that they are not to be; from then on nothing of theirs is.
    Raises NotAllowed, LimitReached, Busy, StorageUnavailable; then nothing is kept that has no clock.
    """
    if not (agreement.may_use_photo and agreement.is_adult):
        raise NotAllowed(_("Please tick both boxes first: they are your consent."))
    now = svc.clock()
    uploaded_at = min(upload.received_at for upload in uploads).astimezone(UTC)
    with svc.transaction() as session:
        take_turns(session)
        if known := _same_request(session, request_id):
            return known
        mine = access.current_subject(session, session_hash)
        files = [upload.original_hash for upload in uploads]
        blocks.refuse(session, svc.settings, now, subject_id=mine.id if mine else None, files=files)
        _require_allowance(svc, session, session_hash, now)
        _require_room(svc, session, choices, now)
        subject = _subject_for(svc, session, mine, session_hash, now)
        subject.is_counted = subject.is_counted and counted
        session.add(
            Consent(
                subject_id=subject.id,
                given_at=now,
                policy_version=policy.version(svc),
                may_use_photo=agreement.may_use_photo,
                is_adult=agreement.is_adult,
                language=current(),
            )
        )
        consent = {"policy": policy.version(svc)}
        audit.record(session, audit.Action.CONSENT_GIVEN, subject.id, at=now, actor=audit.SUBJECT, **consent)
        planned = {
            upload.kind: copies.plan(
                session,
                subject_id=subject.id,
                kind=upload.kind,
                width=upload.width,
                height=upload.height,
                size=len(upload.data),
                at=now,
                erase_by=uploaded_at + svc.settings.terms.clock(choices.contract),
                original_hash=upload.original_hash,
            )
            for upload in uploads
        }
        run = _new_run(svc, session, request_id, subject, planned, choices, uploaded_at, now)
        _record_request(session, run, again=False)
        enqueue_run(session, run.id, at=now + UPLOAD_GRACE)
    try:
        for upload in uploads:
            if not copies.write(svc, planned[upload.kind].id, upload.data):
                retention.erase(svc, planned[upload.kind].id)
    except StorageError:
        _abandon(svc, run.id)
        raise
    _let_start(svc, run.id)
    return run.id


def again(
    svc: Services,
    session_hash: str,
    *,
    request_id: str,
    like: str,
    choices: Choices,
    free_try_of: str | None = None,
    counted: bool = True,
) -> str:
    """Another run from the same photo, under the same contract and clock. Raises NotFound when the photo is erased.

    `free_try_of`: it does not count, as the one try that the drift guard gives. Raises NotAllowed where it gives none.
    """
    now = svc.clock()
    with svc.transaction() as session:
        take_turns(session)
        if known := _same_request(session, request_id):
            return known
        before = access.own_run(session, session_hash, like)
        files = _originals_of(session, before)
        blocks.refuse(session, svc.settings, now, subject_id=before.subject_id, files=files)
        if free_try_of is None:
            _require_allowance(svc, session, session_hash, now)
        elif free_try_of != before.id or not has_free_try(session, before):
            raise NotAllowed(_("There is no free try for this run, or you have had it already."))
        _require_room(svc, session, choices, now)
        subject = session.get_one(Subject, before.subject_id, with_for_update=True)
        subject.is_counted = subject.is_counted and counted
        held = {
            kind: session.get_one(Copy, copy_id)
            for kind, copy_id in (
                (CopyKind.PORTRAIT, before.portrait_id),
                (CopyKind.BACKDROP, before.backdrop_id),
                (CopyKind.CLOTHING, before.clothing_id),
            )
            if copy_id
        }
        if not held[CopyKind.PORTRAIT].may_be_read(now):
            raise NotFound(_("This photo is erased already. Add it once more for another run."))
        same_clock = replace(choices, contract=before.contract)
        run = _new_run(svc, session, request_id, subject, held, same_clock, before.uploaded_at, now)
        run.erase_by = min(run.erase_by, before.erase_by)
        run.free_try_of, run.counts = free_try_of, free_try_of is None
        _record_request(session, run, again=True)
        enqueue_run(session, run.id, at=now + UPLOAD_GRACE)
    _let_start(svc, run.id)
    return run.id


def cancel(svc: Services, session_hash: str, generation_id: str) -> None:
    """Stop a run between two stages. What it has made so far stays, on its clock."""
    with svc.transaction() as session:
        run = access.own_run(session, session_hash, generation_id)
        if run.state.is_live and run.cancel_at is None:
            audit.record(session, audit.Action.RUN_CANCELLED, run.id, at=svc.clock(), actor=audit.SUBJECT)
        retention.cancel_runs(session, [run.id], svc.clock())
    svc.wake()


def pick_favourite(svc: Services, session_hash: str, generation_id: str, copy_id: str | None) -> None:
    with svc.transaction() as session:
        run = access.own_run(session, session_hash, generation_id)
        made = session.exec(select(HeadshotRow.copy_id).where(HeadshotRow.generation_id == run.id)).all()
        run.favourite_id = copy_id if copy_id in made else None
        session.add(run)


# ------------------------------------------------------------------------------------------------ what pages see
@dataclass(frozen=True)
class RunView:
    """A run as its owner sees it."""

    run: Generation
    portrait: Copy
    headshots: tuple[Copy, ...]  # by variant; those that may be read now
    made: int  # how many there ever were
    stages: tuple[str, ...]  # entered so far, in order
    ahead: int  # runs that wait before this one
    erased_at: datetime | None  # of everything only this run has, once that is so
    gone_at: datetime | None

    @property
    def is_live(self) -> bool:
        return self.run.state.is_live

    def is_over(self, now: datetime) -> bool:
        """Erased, or its clock has run out."""
        return self.run.erase_by <= now


def runs_of(session: Session, session_hash: str, now: datetime) -> list[RunView]:
    """All runs of what this browser has open, newest first."""
    subject = access.current_subject(session, session_hash)
    if subject is None:
        return []
    mine = select(Generation).where(Generation.subject_id == subject.id)
    return [_view(session, run, now) for run in session.exec(mine.order_by(col(Generation.created_at).desc()))]


def view(session: Session, session_hash: str, generation_id: str, now: datetime) -> RunView:
    """Raises NotFound."""
    return _view(session, access.own_run(session, session_hash, generation_id), now)


def _view(session: Session, run: Generation, now: datetime) -> RunView:
    made = session.exec(
        select(Copy)
        .join(HeadshotRow, col(HeadshotRow.copy_id) == Copy.id)
        .where(HeadshotRow.generation_id == run.id)
        .order_by(col(HeadshotRow.variant))
    ).all()
    entered = select(StageEvent.stage).where(StageEvent.generation_id == run.id).order_by(col(StageEvent.id))
    ahead = 0
    if run.state in (RunState.QUEUED, RunState.RECEIVING):
        waiting = col(Generation.state).in_(LIVE)
        ahead = session.exec(
            select(func.count())
            .select_from(Generation)
            .where(waiting, Generation.engine == run.engine, Generation.created_at < run.created_at)
        ).one()
    return RunView(
        run=run,
        portrait=session.get_one(Copy, run.portrait_id),
        headshots=tuple(copy for copy in made if copy.may_be_read(now)),
        made=len(made),
        stages=tuple(dict.fromkeys(session.exec(entered).all())),
        ahead=ahead,
        erased_at=_when_all(copy.erased_at for copy in made) if made else run.ended_at,
        gone_at=_when_all(copy.gone_at for copy in made) if made else run.ended_at,
    )


def _when_all(instants: Iterable[datetime | None]) -> datetime | None:
    """The last of them, or None while one is missing."""
    known = list(instants)
    return None if None in known else max(instant for instant in known if instant is not None)


@dataclass(frozen=True)
class Trail:
    """What became of each copy that a run used or made."""

    erased: tuple[Copy, ...]  # due, erased or gone
    kept: tuple[Copy, ...]  # uploads that another run still uses

    @property
    def is_proved(self) -> bool:
        return all(copy.gone_at is not None for copy in self.erased)


def trail(session: Session, session_hash: str, generation_id: str) -> Trail:
    """The evidence, for a person who erased a run. Raises NotFound."""
    run = access.own_run(session, session_hash, generation_id)
    mine = select(HeadshotRow.copy_id).where(HeadshotRow.generation_id == run.id)
    made = session.exec(mine.order_by(col(HeadshotRow.variant))).all()
    ids = [*filter(None, (run.portrait_id, run.clothing_id, run.backdrop_id)), *made]
    found = [session.get_one(Copy, copy_id) for copy_id in ids]
    kept = tuple(copy for copy in found if copy.kind.is_upload and copy.erase_by > run.erase_by)
    return Trail(erased=tuple(copy for copy in found if copy not in kept), kept=kept)


def choices_of(svc: Services, session: Session, run: Generation) -> Choices:
    """What was chosen for a run, to choose it again."""
    subject = session.get_one(Subject, run.subject_id)
    return Choices(
        purpose=run.purpose,
        ratio=run.ratio,
        long_side=run.long_side,
        style=run.style,
        backdrop=run.backdrop,
        variants=run.variants,
        engine=run.engine,
        contract=run.contract,
        framing=Framing(zoom=run.zoom, turns=run.turns),
        note=svc.vault.open_text(subject, run.sealed_note) if run.sealed_note and subject.sealed_key else "",
    )


def shifts(session: Session, generation_id: str) -> dict[str, float | None]:
    """How much lighter or darker skin has become, of each headshot's copy."""
    mine = select(HeadshotRow.copy_id, HeadshotRow.shift).where(HeadshotRow.generation_id == generation_id)
    return dict(session.exec(mine).all())


def has_free_try(session: Session, run: Generation) -> bool:
    """Whether the drift guard lets this run be made once more. A free try gives no other."""
    if run.state is not RunState.READY or run.free_try_of is not None:
        return False
    taken = select(Generation.id).where(Generation.free_try_of == run.id)
    strong = any(drift.is_strong(shift) for shift in shifts(session, run.id).values())
    return strong and session.exec(taken).first() is None


# ---------------------------------------------------------------------------------------------------- the worker
def run(svc: Services, claim: Claim) -> None:
    """One attempt at a run. Raises LeaseLost when another worker has taken over, and whatever may be tried again."""
    generation = attempts.begin(claim)
    if generation is None:
        return
    try:
        _make(svc, claim, generation)
    except attempts.Stopped:
        attempts.finish(claim, generation.id, RunState.CANCELLED)
    except attempts.Expired:
        attempts.finish(claim, generation.id, RunState.FAILED, failure="expired")
    except ObjectMissing:
        attempts.finish(claim, generation.id, RunState.FAILED, failure="upload_lost")
    except ObjectDamaged as exc:
        attempts.finish(claim, generation.id, RunState.FAILED, failure=exc.code)
    except NotFound:
        attempts.finish(claim, generation.id, RunState.FAILED, failure="photo_erased")
    except EngineRefused as exc:
        attempts.finish(claim, generation.id, RunState.FAILED, failure=exc.code)
    else:
        attempts.finish(claim, generation.id, RunState.READY)


def give_up(claim: Claim) -> None:
    """A run that failed in every attempt, or killed its worker each time."""
    attempts.finish(claim, claim.ref, RunState.FAILED, failure="gave_up")


def _make(svc: Services, claim: Claim, generation: Generation) -> None:
    attempts.stop_if_asked(svc, generation.id)
    engine = svc.engines[generation.engine]
    attempts.enter(claim, generation.id, "reading")
    events = engine.make(_order(svc, generation, engine))
    try:
        for event in events:
            match event:
                case Stage(name=name):
                    attempts.enter(claim, generation.id, name)
                case Headshot():
                    attempts.keep(svc, claim, generation, _signed(svc, event))
            attempts.stop_if_asked(svc, generation.id)
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()


def _signed(svc: Services, headshot: Headshot) -> Headshot:
    """With Content Credentials, where this server has a certificate for them."""
    certificate = certificates.of(svc.settings)
    return replace(headshot, data=signing.signed(headshot.data, certificate)) if certificate else headshot


def _order(svc: Services, generation: Generation, engine: Engine) -> Order:
    backdrop = copies.read_upload(svc, generation.backdrop_id) if generation.backdrop_id else None
    with svc.reading() as session:
        kept = attempts.kept_variants(session, generation.id)
    portrait = copies.read_upload(svc, generation.portrait_id)
    return Order(
        portrait=portrait,
        ratio=generation.ratio,
        long_side=generation.long_side,
        style=generation.style,
        backdrop=generation.backdrop,
        variants=generation.variants,
        framing=Framing(zoom=generation.zoom, turns=generation.turns),
        backdrop_image=backdrop,
        skip=kept,
    )


# ------------------------------------------------------------------------------------------------------ requests
def _same_request(session: Session, request_id: str) -> str | None:
    return session.exec(select(Generation.id).where(Generation.request_id == request_id)).first()


def _originals_of(session: Session, run: Generation) -> Sequence[str | None]:
    used = [run.portrait_id, run.clothing_id, run.backdrop_id]
    return session.exec(select(Copy.original_hash).where(col(Copy.id).in_(filter(None, used)))).all()


def _require_allowance(svc: Services, session: Session, session_hash: str, now: datetime) -> None:
    allowance = access.allowance(session, session_hash, limit=svc.settings.runs_per_day, now=now)
    if allowance.left == 0:
        says = _("Today's headshots are used up. New ones are there after midnight UTC.")
        raise LimitReached(says, code="limit_day")


def _require_room(svc: Services, session: Session, choices: Choices, now: datetime) -> None:
    if queue_length(session, choices.engine) >= svc.settings.queue_limit:
        raise Busy(_("Many people are making headshots just now. Your photo is not stored; please try in a minute."))
    if provider := svc.providers.get(choices.engine):
        gate.require_open(session, provider, now, svc.settings, more=choices.variants)
        if choices.note and (why := provider.refuses(choices.note)):
            raise NotAllowed(why, code="note_refused")


def queue_length(session: Session, engine: str | None = None) -> int:
    """Runs that wait or are being made, in all or by one engine: none waits for what another one does."""
    live = select(func.count()).select_from(Generation).where(col(Generation.state).in_(LIVE))
    return session.exec(live if engine is None else live.where(Generation.engine == engine)).one()


def _subject_for(svc: Services, session: Session, subject: Subject | None, session_hash: str, now: datetime) -> Subject:
    """The subject that this browser has open, or a new one: consent is what creates a subject."""
    if subject is not None:  # not while its last copy is being closed and its key destroyed
        session.refresh(subject, with_for_update=True)
    if subject is None or subject.sealed_key is None:
        subject_id = new_id()
        subject = Subject(id=subject_id, created_at=now, sealed_key=svc.vault.make_key(subject_id))
        subject.may_be_looked_at = svc.settings.look_at_reported  # as the text they agree to says
        session.add(subject)
        session.flush()
        access.link(session, session_hash, subject.id, now)
    subject.may_be_looked_at = subject.may_be_looked_at and svc.settings.look_at_reported  # as this text says, too
    return subject


def _new_run(
    svc: Services,
    session: Session,
    request_id: str,
    subject: Subject,
    uploads: Mapping[CopyKind, Copy],
    choices: Choices,
    uploaded_at: datetime,
    now: datetime,
) -> Generation:
    if choices.contract not in svc.settings.terms.offered:
        raise NotAllowed(_("Please choose a shorter time."))
    if choices.engine not in svc.offered or not 1 <= choices.variants <= MAX_VARIANTS:
        raise NotAllowed(_("This choice is not offered here."))
    clothing, backdrop = uploads.get(CopyKind.CLOTHING), uploads.get(CopyKind.BACKDROP)
    run = Generation(
        number=access.new_number("G"),
        request_id=request_id,
        subject_id=subject.id,
        portrait_id=uploads[CopyKind.PORTRAIT].id,
        clothing_id=clothing.id if clothing else None,
        backdrop_id=backdrop.id if backdrop else None,
        engine=choices.engine,
        purpose=choices.purpose,
        ratio=choices.ratio,
        long_side=choices.long_side,
        style=choices.style,
        backdrop=choices.backdrop,
        variants=choices.variants,
        zoom=choices.framing.zoom,
        turns=choices.framing.turns,
        sealed_note=svc.vault.seal_text(subject, choices.note) if choices.note else None,
        contract=choices.contract,
        uploaded_at=uploaded_at,
        erase_by=svc.settings.terms.run_by(choices.contract, uploaded_at),
        created_at=now,
        state=RunState.RECEIVING,
    )
    session.add(run)
    session.flush()
    if provider := svc.providers.get(run.engine):
        provider_runs.plan(session, run, provider)
    return run


def _record_request(session: Session, run: Generation, *, again: bool) -> None:
    audit.record(
        session,
        audit.Action.RUN_REQUESTED,
        run.id,
        at=run.created_at,
        actor=audit.SUBJECT,
        engine=run.engine,
        contract=run.contract.value,
        variants=run.variants,
        again=again,
    )
    noting.run_begun(session, run, again=again)


def _let_start(svc: Services, generation_id: str) -> None:
    with svc.transaction() as session:
        enqueue_run(session, generation_id, at=svc.clock())
        session.execute(  # unless the worker has it already
            sa.update(Generation)
            .where(col(Generation.id) == generation_id, col(Generation.state) == RunState.RECEIVING)
            .values(state=RunState.QUEUED)
        )
    svc.wake()


def _abandon(svc: Services, generation_id: str) -> None:
    """The upload could not be stored: the run is over before it began, and whatever arrived is erased."""
    now = svc.clock()
    with svc.transaction() as session:
        run = session.get_one(Generation, generation_id, with_for_update=True)
        run.state, run.failure, run.ended_at, run.counts = RunState.FAILED, "not_stored", now, False
        attempts.record_end(session, run, now)
        provider_runs.drop(svc, session, run.id, now)
        retention.shorten_run(session, run, to=now, reason=EraseReason.NOT_WANTED)
        enqueue(session, JobKind.ERASE, run.subject_id, at=now)
