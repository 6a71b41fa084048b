"""What is stored, and when it goes."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import erasing, lifecycle, made_up
from core.copies import kept_of_people
from core.errors import ObjectMissing
from core.lifecycle import DAY, Trouble, TwoClocks
from core.models import (
    LIVE,
    CanaryRun,
    Copy,
    CopyKind,
    FindingKind,
    FindingRow,
    Generation,
    JobKind,
    PolicyVersion,
    Subject,
    Upkeep,
)
from core.ports import Presence
from core.promises import bounds
from core.promises.shapes import Result, Says, broken, kept, listed, says, unknown
from core.services import Services
from core.settings import Settings

LATE: Final = timedelta(minutes=10)
"""Past its clock for so long: no sweep came by that should have."""
AT_MOST: Final = 1_000
"""Rows that are counted; beyond it "1,000" stands for all of them."""
SAMPLE: Final = 3
COMPARED_LATE: Final = timedelta(hours=50)
"""Storage and rows are compared each night: this is two of them that nobody did."""
UPLOADS: Final = (CopyKind.PORTRAIT, CopyKind.CLOTHING, CopyKind.BACKDROP)
PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"PK\x03\x04", b"%PDF")
"""How files begin that a viewer would open; HEIC and AVIF have `ftyp` after four bytes."""
SEALED: Final = b"WS1"


def is_picture(data: bytes) -> bool:
    return data.startswith(PICTURES) or data[4:8] == b"ftyp"


def many(session: Session, *where: sa.ColumnElement[bool]) -> int:
    """How many copies of people, counted no further than it takes to say that there are many."""
    some = select(Copy.id).where(*kept_of_people(), *where).limit(AT_MOST).subquery()
    return session.exec(select(func.count()).select_from(some)).one()


def found(session: Session, *kinds: FindingKind) -> int:
    """What the last comparison of storage and rows has found."""
    return session.exec(select(func.count()).select_from(FindingRow).where(col(FindingRow.kind).in_(kinds))).one()


def _not_compared(session: Session, now: datetime) -> Says | None:
    """What the last comparison found says nothing any more when it is over for long, or never was."""
    compared = session.get(Upkeep, JobKind.RECONCILE)
    if compared is not None:
        if now - compared.ended_at <= COMPARED_LATE:
            return None
        return says("Storage and rows were last compared {ago} ago.", ago=now - compared.ended_at)
    began = select(Copy.created_at).where(*kept_of_people()).order_by(col(Copy.created_at))
    oldest = session.exec(began.limit(1)).first()
    if oldest is None or now - oldest <= COMPARED_LATE:
        return None
    return says("Storage and rows were never compared, and the oldest image is here for {age}.", age=now - oldest)


def sample(session: Session, *where: sa.ColumnElement[bool]) -> Sequence[Copy]:
    """The oldest and the newest that are kept."""
    written = col(Copy.written_at).is_not(None), col(Copy.erased_at).is_(None)
    kept_ones = select(Copy).where(*kept_of_people(), *written, *where)
    orders = col(Copy.created_at).asc(), col(Copy.created_at).desc()
    both = [copy for order in orders for copy in session.exec(kept_ones.order_by(order).limit(SAMPLE)).all()]
    return list({copy.id: copy for copy in both}.values())


# --------------------------------------------------------------------------------------------------- by the clock
def erased_by_the_clock(svc: Services, now: datetime) -> Result:
    """Nothing is past its clock, no clock is longer than promised, nothing lies there without one; and a sweep runs."""
    with svc.reading() as session:
        late = many(session, col(Copy.erase_by) < now - LATE)
        too_long = _too_long(session, svc.settings, now)
        no_row = found(session, FindingKind.UNTRACKED)
        oldest = session.exec(
            select(Copy.created_at)
            .where(*kept_of_people(), col(Copy.kind).in_(UPLOADS))
            .order_by(col(Copy.created_at))
            .limit(1)
        ).first()
        swept = session.get(Upkeep, JobKind.SWEEP)
        not_compared = _not_compared(session, now)
    figure = (
        says("oldest photo {age}, {late} past their clock", age=now - oldest, late=late)
        if oldest
        else says("no photo is here")
    )
    if late or too_long or no_row:
        return broken(
            figure,
            says(
                "{late} images are past their clock by more than 10 minutes, {long} have a longer clock than "
                "promised, and {no_row} objects have none.",
                late=late,
                long=too_long,
                no_row=no_row,
            ),
        )
    if trouble := _sweep_trouble(svc, swept, now) or not_compared:
        return unknown(figure, trouble)
    assert swept is not None
    seen = says(
        "Looked at every image that is here, those of failed runs too: none is past its clock, and none has a longer "
        "one than promised. The last sweep ended {ago} ago.",
        ago=now - swept.ended_at,
    )
    clocks = lifecycle.check(svc)
    return kept(figure, seen.followed_by(*_net(clocks)))


def _net(clocks: TwoClocks) -> Sequence[Says]:
    """The bucket's own rule, where it has one."""
    if clocks.rule_days is None:
        return ()
    three = says(
        "rule {rule} d · clock {clock} d · policy {policy} d",
        rule=clocks.rule_days,
        clock=f"{clocks.setting / DAY:g}",
        policy=f"{clocks.policy / DAY:g}",
    )
    return (says("Should all of ours fail, the bucket erases by itself: {clocks}.", clocks=three),)


def _too_long(session: Session, settings: Settings, now: datetime) -> int:
    """Those older than the longest clock, and those whose clock ends beyond it. A clock that began under an earlier
    version of the policy stays what it was, and no version of it promises more than the bound."""
    limit = bounds.longest(settings) + LATE
    came = col(PolicyVersion.effective_at) <= now, col(PolicyVersion.withdrawn_at).is_(None)
    since = session.exec(select(func.max(PolicyVersion.effective_at)).where(*came)).one()
    began = col(Copy.created_at)
    ours = began < now - limit
    if since is not None:
        ours = sa.and_(ours, sa.or_(began >= since, began < now - bounds.LONGEST - LATE))
    return many(session, ours) + many(session, col(Copy.erase_by) > now + bounds.LONGEST + LATE, sa.not_(ours))


def _sweep_trouble(svc: Services, swept: Upkeep | None, now: datetime) -> Says | None:
    if erasing.state(svc).is_stopped:
        return says("An operator has stopped all erasing. Nothing is past its clock so far.")
    if swept is None:
        return says("No sweep has ended yet, so nobody looks for what is due.")
    every = timedelta(seconds=svc.settings.sweep_every_seconds)
    if now - swept.ended_at > max(3 * every, LATE):
        return says("No sweep has ended for {ago}: nobody looks for what is due.", ago=now - swept.ended_at)
    return None


# -------------------------------------------------------------------------------------------------- until the clock
def available_until(svc: Services, now: datetime) -> Result:
    """What should be there is there: a sample is asked for, and the last comparison missed nothing."""
    with svc.reading() as session:
        lost = found(session, FindingKind.MISSING, FindingKind.MISMATCH)
        some = sample(session, col(Copy.erase_by) > now)
        compared = session.get(Upkeep, JobKind.RECONCILE)
        not_compared = _not_compared(session, now)
    answers = _asked(svc, some)
    missing = answers.count(Presence.ABSENT)
    figure = says("{there} of {asked} there", there=answers.count(Presence.PRESENT), asked=len(answers))
    if too_soon := [found for found in lifecycle.check(svc).findings if found.trouble is Trouble.TOO_SOON]:
        return broken(
            figure,
            says(
                "The bucket erases after {days} days what our clock keeps for {clock} d.",
                days=too_soon[0].days or 0,
                clock=f"{lifecycle.longest_clock(svc.settings) / DAY:g}",
            ),
        )
    if lost or missing:
        return broken(
            figure,
            says(
                "{missing} of a sample of {asked} are not in storage although their clock runs, and the last "
                "comparison of everything found {lost} missing or damaged.",
                missing=missing,
                asked=len(answers),
                lost=lost,
            ),
        )
    if Presence.UNKNOWN in answers:
        return unknown(figure, says("Storage could not say whether it has what should be there."))
    if not_compared:
        return unknown(figure, not_compared)
    then = (
        says("Everything was compared {ago} ago, and nothing was missing.", ago=now - compared.ended_at)
        if compared is not None
        else says("Everything is compared each night; that has not been done here yet.")
    )
    asked = says("Of what should be there, the oldest and the newest were asked for: {n}, all there.", n=len(answers))
    return kept(figure, asked.followed_by(then))


def _asked(svc: Services, some: Sequence[Copy]) -> list[Presence]:
    """What storage says of each, but for what was rightly erased between the rows and the question."""
    answers = {copy.id: svc.vault.store.head(copy.object_key) for copy in some}
    absent = [id for id, answer in answers.items() if answer is Presence.ABSENT]
    if not absent:
        return list(answers.values())
    due_or_erased = sa.or_(col(Copy.erased_at).is_not(None), col(Copy.erase_by) <= svc.clock())
    with svc.reading() as session:
        rightly = session.exec(select(Copy.id).where(col(Copy.id).in_(absent), due_or_erased)).all()
    return [answer for id, answer in answers.items() if id not in rightly]


# --------------------------------------------------------------------------------------------------------- gone
RULES: Final = {
    "copy": ("ck_copy_gone_needs_evidence", "ck_copy_gone_after_erased"),
    "evidence": ("ck_evidence_is_a_negative_read",),
}
GONE, NONE = says("gone"), says("none")
NOT_GONE: Final = ("not_gone", "key_kept")


def gone_means_gone(svc: Services, now: datetime) -> Result:
    """The database refuses a "gone" without evidence; what is gone has not come back; and a test picture went."""
    with svc.database.connect() as connection:
        known = sa.inspect(connection)
        missing = [name for table, names in RULES.items() for name in _without(known, table, names)]
    with svc.reading() as session:
        back = found(session, FindingKind.ZOMBIE)
        over = sa.or_(col(CanaryRun.gone_at).is_not(None), col(CanaryRun.failure).is_not(None))
        newest = select(CanaryRun).where(over).order_by(col(CanaryRun.started_at).desc(), col(CanaryRun.due_at).desc())
        last = session.exec(newest.limit(1)).first()
        whose = last.subject_id if last is not None and last.gone_at is not None else None
        keys = session.exec(select(Copy.object_key).where(Copy.subject_id == whose)).all() if whose else ()
        not_compared = _not_compared(session, now)
        here_since = session.exec(select(func.min(PolicyVersion.noted_at))).one()
    again = [svc.vault.store.head(key) for key in keys]
    figure = _canary_figure(last)
    came_back = back + again.count(Presence.PRESENT)
    if missing or came_back or (last is not None and last.failure in NOT_GONE):
        return broken(
            figure,
            says(
                "{back} objects that were shown to be gone are there again, {rules} rules of the database are "
                "missing, and the last test picture: {last}.",
                back=came_back,
                rules=len(missing),
                last=(last.failure or GONE) if last is not None else NONE,
            ),
        )
    if not_compared:
        return unknown(figure, not_compared)
    every = timedelta(minutes=svc.settings.canary_every_minutes)
    if last is None and every and here_since is not None and now - here_since > 3 * every + LATE:
        since = says("This server was set up {ago} ago, and no test picture has come by since.", ago=now - here_since)
        return unknown(figure, since)
    return _canary_kept(svc, last, again, figure, now)


def _without(known: sa.Inspector, table: str, names: Sequence[str]) -> list[str]:
    there = {rule["name"] for rule in known.get_check_constraints(table)}
    return [name for name in names if name not in there]


def _canary_figure(last: CanaryRun | None) -> Says:
    if last is None or last.gone_at is None:
        return (
            says("no test picture has gone yet") if last is None else says("the last test picture did not get through")
        )
    return says("last test picture gone {after} after its clock", after=max(last.gone_at - last.due_at, timedelta(0)))


def _canary_kept(
    svc: Services, last: CanaryRun | None, again: Sequence[Presence], figure: Says, now: datetime
) -> Result:
    every = timedelta(minutes=svc.settings.canary_every_minutes)
    if last is None:
        return kept(figure, RULES_HOLD.followed_by(NONE_YET))
    if last.failure is not None:
        return unknown(figure, says("The last test picture did not get through ({why}).", why=last.failure))
    if every and now - last.started_at > 3 * every + LATE:
        sent = says("The last test picture was sent {ago} ago: none has come by since.", ago=now - last.started_at)
        return unknown(figure, sent)
    if Presence.UNKNOWN in again:
        return unknown(figure, says("Storage could not say again that the last test picture is gone."))
    return kept(figure, RULES_HOLD.followed_by(ASKED_AGAIN))


RULES_HOLD: Final = says("The database takes no “gone” without two negative reads.")
NONE_YET: Final = says("Nothing that was gone has come back. No test picture has gone the way yet.")
ASKED_AGAIN: Final = says(
    "The last test picture was asked for once more: not there. Nothing that was gone has come back."
)


# ---------------------------------------------------------------------------------------------------- encrypted
def encrypted(svc: Services, now: datetime) -> Result:
    """What storage holds of a sample is no picture, and is sealed; keys lie sealed, too, and go with the last image."""
    with svc.reading() as session:
        some = sample(session)
        whose = [copy.subject_id for copy in some]
        keys = session.exec(select(Subject.id, Subject.sealed_key).where(col(Subject.id).in_(whose))).all()
        left = _keys_left(session, now)
    held = [data for copy in some if (data := _raw(svc, copy)) is not None]
    bare = sum(is_picture(data) or not data.startswith(SEALED) for data in held)
    open_keys = sum(key is None or not key.startswith(SEALED) for _, key in keys)
    figure = says("{sealed} of {looked} sealed", sealed=len(held) - bare, looked=len(held))
    if bare or open_keys or left:
        return broken(
            figure,
            says(
                "{bare} stored images are not sealed, and {keys} keys of people are not. {left} people whose last "
                "image is gone have a key still.",
                bare=bare,
                keys=open_keys,
                left=left,
            ),
        )
    return kept(
        figure,
        says(
            "The oldest and the newest stored images were taken as storage has them: {n} looked at, none opens as a "
            "picture, and each has a key of its person that is itself sealed (AES-256-GCM).",
            n=len(held),
        )
        if held
        else says("No image is stored just now. Each is sealed before it is written (AES-256-GCM)."),
    )


def _keys_left(session: Session, now: datetime) -> int:
    """Of the people who have had a key for longest: those who had images, have none and no run, and have it still."""
    with_key = select(Subject.id).where(col(Subject.sealed_key).is_not(None), ~col(Subject.is_canary))
    oldest = with_key.where(made_up.is_real(Subject.id)).order_by(col(Subject.created_at)).limit(AT_MOST).subquery()
    had = sa.exists().where(col(Copy.subject_id) == oldest.c.id)
    has = had.where(sa.or_(col(Copy.gone_at).is_(None), col(Copy.gone_at) > now - LATE))
    at_work = sa.exists().where(col(Generation.subject_id) == oldest.c.id, col(Generation.state).in_(LIVE))
    return session.exec(select(func.count()).select_from(oldest).where(had, ~has, ~at_work)).one()


def _raw(svc: Services, copy: Copy) -> bytes | None:
    """None: it went while we looked; what is missing is told elsewhere. Raises StorageUnavailable."""
    try:
        return svc.vault.store.get(copy.object_key)
    except ObjectMissing:
        return None


# -------------------------------------------------------------------------------------------------- only pixels


def only_pixels_are_kept(read: Callable[[bytes], bytes] | None = None) -> Callable[[Services, datetime], Result]:
    """A picture of ours that carries position, camera and time goes the way of every upload. `read`: that way."""

    def check(svc: Services, now: datetime) -> Result:
        from core.promises.checks.drawn_photo import carried, with_everything

        way = read or _read
        clean = way(with_everything())
        left = carried(clean)
        with svc.database.connect() as connection:
            columns = {column["name"] for column in sa.inspect(connection).get_columns("copy")}
        more = sorted(columns - COLUMNS_OF_A_COPY)
        figure = says("{left} of 5 kinds of data left", left=len(left))
        if left or more:
            return broken(
                figure,
                says(
                    "Of a test photo this was left after reading: {left}. Unknown columns of images: {more}.",
                    left=listed(KINDS[what] for what in left) if left else "–",
                    more=", ".join(more) or "–",
                ),
            )
        return kept(
            figure,
            says(
                "A test photo with a position, a camera, a time, a comment and a hidden program went the way of "
                "every upload: nothing but pixels came out. The table of images has no column for anything else."
            ),
        )

    return check


KINDS: Final = {
    "position": says("position"),
    "camera": says("camera"),
    "time": says("time"),
    "comment": says("comment"),
    "program": says("program"),
}
"""What a test photo carries."""
COLUMNS_OF_A_COPY: Final = frozenset(
    [
        "id",
        "subject_id",
        "kind",
        "place",
        "object_key",
        "media_type",
        "width",
        "height",
        "size",
        "created_at",
        "written_at",
        "erase_by",
        "erase_reason",
        "erased_at",
        "probes",
        "probe_answer",
        "probe_again_at",
        "gone_at",
        "evidence_id",
        "original_hash",
    ]
)


def _read(data: bytes) -> bytes:
    from core import intake  # what reads pictures is loaded for the first one, not while the server starts

    return intake.read(data).data
