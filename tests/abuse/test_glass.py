"""One operator looks at one image if another one allows it, for ten minutes, and never against its owner."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image, ImageChops
from sqlmodel import select

from core import operators, reports, retention
from core.abuse import drawing, glass
from core.errors import NotAllowed, NotFound
from core.models import AbuseOutcome, AuditEntry, Copy, GlassView, Role, SignInWay, Subject
from core.operators import Operator
from core.services import Services
from tests.abuse.conftest import deeds, headshots, id_of, operator, press, subject_of
from tests.conftest import ANN, BOB
from tests.fakes import FrozenClock, MemoryStore


@pytest.fixture
def allowed(open_house: Services, reported: str, kim: Operator, lee: Operator) -> GlassView:
    return glass.decide(open_house, lee, glass.ask_to_look(open_house, kim, reported).id, allow=True)


def nothing_there(svc: Services, who: Operator, view_id: str) -> str:
    """What somebody who may not look is answered."""
    with pytest.raises(NotFound) as refused:
        glass.look(svc, who, view_id)
    return str(refused.value)


def another(svc: Services, than: GlassView) -> Copy:
    """The other headshot."""
    return next(copy for copy in headshots(svc) if copy.id != than.copy_id)


# --------------------------------------------------------------------------------------------------------- it takes two
def test_nobody_sees_anything_before_another_one_has_allowed_it(
    open_house: Services, reported: str, kim: Operator, lee: Operator
) -> None:
    view = glass.ask_to_look(open_house, kim, reported)
    assert nothing_there(open_house, kim, view.id)
    with pytest.raises(NotAllowed, match="another operator"):
        glass.decide(open_house, kim, view.id, allow=True)
    assert nothing_there(open_house, kim, view.id)
    glass.decide(open_house, lee, view.id, allow=True)
    assert glass.look(open_house, kim, view.id).startswith(b"\xff\xd8")


@pytest.mark.parametrize("way", list(SignInWay))
def test_nobody_makes_a_second_operator_just_to_allow_it(
    open_house: Services, reported: str, kim: Operator, clock: FrozenClock, way: SignInWay
) -> None:
    asked = glass.ask_to_look(open_house, kim, reported)
    clock.advance(seconds=1)
    late = signed_in_by(way, open_house)
    with pytest.raises(NotAllowed, match="You signed in after this was asked"):
        glass.decide(open_house, late, asked.id, allow=True)
    assert nothing_there(open_house, kim, asked.id)
    glass.decide(open_house, late, asked.id, allow=False)
    clock.advance(seconds=1)
    again = glass.ask_to_look(open_house, kim, reported)
    glass.decide(open_house, late, again.id, allow=True)
    assert glass.look(open_house, kim, again.id)


def test_an_account_that_was_here_before_decides_from_any_browser(
    open_house: Services, reported: str, kim: Operator, clock: FrozenClock
) -> None:
    signed_in_by(SignInWay.OIDC, open_house, "1")
    clock.advance(hours=1)
    asked = glass.ask_to_look(open_house, kim, reported)
    clock.advance(hours=1)
    glass.decide(open_house, signed_in_by(SignInWay.OIDC, open_house, "2"), asked.id, allow=True)
    assert glass.look(open_house, kim, asked.id)


def signed_in_by(way: SignInWay, svc: Services, name: str = "f") -> Operator:
    if way is SignInWay.LINK:
        return operator(svc, Role.FOUNDER, name)
    who = operators.Vouched("oidc-0123456789", Role.FOUNDER, svc.clock())
    found = operators.vouched_for(svc, name * 64, who)
    assert found is not None
    return found


def test_the_database_refuses_one_who_allows_themselves(open_house: Services, reported: str, kim: Operator) -> None:
    view = glass.ask_to_look(open_house, kim, reported)
    now = open_house.clock()
    itself = sa.update(GlassView).where(sa.column("id") == view.id).values(decided_by=kim.id, decided_at=now)
    with pytest.raises(sa.exc.IntegrityError), open_house.transaction() as session:
        session.execute(itself)


def test_a_refusal_is_final(open_house: Services, reported: str, kim: Operator, lee: Operator) -> None:
    view = glass.ask_to_look(open_house, kim, reported)
    glass.decide(open_house, lee, view.id, allow=False)
    assert nothing_there(open_house, kim, view.id)
    with pytest.raises(NotAllowed, match="decided already"):
        glass.decide(open_house, operator(open_house, Role.SUPPORT, "f"), view.id, allow=True)


def test_asked_twice_is_asked_once(open_house: Services, reported: str, kim: Operator, lee: Operator) -> None:
    first = glass.ask_to_look(open_house, kim, reported)
    assert glass.ask_to_look(open_house, kim, reported).id == first.id
    assert glass.ask_to_look(open_house, lee, reported).id != first.id
    assert deeds(open_house, "glass") == [("glass:asked", kim.actor), ("glass:asked", lee.actor)]


# ---------------------------------------------------------------------------------------------------- for how long, who
def test_for_ten_minutes_from_the_decision(
    open_house: Services, reported: str, kim: Operator, lee: Operator, clock: FrozenClock
) -> None:
    view = glass.ask_to_look(open_house, kim, reported)
    clock.advance(hours=2)
    glass.decide(open_house, lee, view.id, allow=True)
    clock.advance(minutes=10, seconds=-1)
    assert glass.look(open_house, kim, view.id)
    clock.advance(seconds=1)
    assert nothing_there(open_house, kim, view.id)


def test_only_who_asked(open_house: Services, allowed: GlassView, lee: Operator) -> None:
    foreign = nothing_there(open_house, lee, allowed.id)
    assert foreign == nothing_there(open_house, operator(open_house, Role.FOUNDER, "f"), allowed.id)
    assert foreign == nothing_there(open_house, lee, "none")
    assert ("glass:seen", lee.actor) not in deeds(open_house, "glass")


# --------------------------------------------------------------------------------------------------- never against them
def test_its_owner_forbids_it_at_once_and_also_while_it_may_be_seen(
    open_house: Services, reported: str, allowed: GlassView, kim: Operator, lee: Operator
) -> None:
    assert glass.look(open_house, kim, allowed.id)
    waits = glass.ask_to_look(open_house, kim, reported, another(open_house, allowed).id)
    glass.forbid(open_house, ANN)
    assert nothing_there(open_house, kim, allowed.id)
    for again in (
        lambda: glass.ask_to_look(open_house, lee, reported),
        lambda: glass.decide(open_house, lee, waits.id, allow=True),
    ):
        with pytest.raises(NotAllowed, match="forbids"):
            again()
    glass.permit(open_house, ANN)
    assert glass.look(open_house, kim, allowed.id)
    assert [deed for deed, who in deeds(open_house, "glass") if who == "subject"] == [
        "glass:forbidden",
        "glass:permitted",
    ]


def test_forbidden_while_it_is_being_drawn_it_is_not_shown(
    open_house: Services, allowed: GlassView, kim: Operator, store: MemoryStore
) -> None:
    key, data = next((key, data) for key, data in store.objects.items() if key == _object_key(open_house, allowed))

    class Telling(dict[str, bytes]):
        def __getitem__(self, name: str) -> bytes:
            glass.forbid(open_house, ANN)
            return super().__getitem__(name)

    store.objects = Telling(store.objects)
    assert store.objects.get(key) == data
    assert nothing_there(open_house, kim, allowed.id)
    assert ("glass:seen", kim.actor) not in deeds(open_house, "glass")


def _object_key(svc: Services, view: GlassView) -> str:
    return next(copy.object_key for copy in headshots(svc) if copy.id == view.copy_id)


def test_where_the_setting_is_off_nobody_looks_and_nobody_can_allow_it(
    svc: Services, open_house: Services, reported: str, allowed: GlassView, kim: Operator, lee: Operator
) -> None:
    assert svc.settings.look_at_reported is False, "the default"
    assert nothing_there(svc, kim, allowed.id)
    with pytest.raises(NotAllowed, match="LOOK_AT_REPORTED"):
        glass.ask_to_look(svc, lee, reported)
    glass.forbid(svc, ANN)
    with pytest.raises(NotAllowed, match="nothing to allow"):
        glass.permit(svc, ANN)


def test_who_agreed_while_it_was_off_is_not_looked_at_later(
    svc: Services, open_house: Services, made: Callable[..., Any], report: Callable[..., Any], kim: Operator
) -> None:
    run = made(svc)
    assert not subject_of(svc).may_be_looked_at
    report_id = id_of(open_house, report(run_number=run.number))
    with pytest.raises(NotAllowed, match="agreed when nobody could look"):
        glass.ask_to_look(open_house, kim, report_id)
    press(open_house)  # and another run under the same subject changes nothing about it
    assert not subject_of(svc).may_be_looked_at


def test_who_agrees_anew_while_it_is_off_is_not_looked_at_later(
    svc: Services, open_house: Services, made: Callable[..., Any]
) -> None:
    made()
    assert subject_of(open_house).may_be_looked_at
    press(svc)
    assert not subject_of(open_house).may_be_looked_at, "the text they agreed to last says that nobody looks"
    press(open_house)
    assert not subject_of(open_house).may_be_looked_at


def test_who_has_forbidden_it_is_not_asked_again_by_another_run(open_house: Services, made: Callable[..., Any]) -> None:
    made()
    assert subject_of(open_house).may_be_looked_at
    glass.forbid(open_house, ANN)
    made()
    assert not subject_of(open_house).may_be_looked_at


@pytest.mark.parametrize("what", ["canary", "erased", "closed"])
def test_nor_a_canary_s_nor_what_is_erased_nor_for_a_report_that_is_closed(
    open_house: Services, reported: str, allowed: GlassView, kim: Operator, what: str
) -> None:
    if what == "canary":
        with open_house.transaction() as session:
            session.get_one(Subject, allowed.subject_id).is_canary = True
    elif what == "erased":
        retention.erase_everything(open_house, allowed.subject_id)
    else:
        reports.close(open_house, kim, reported, AbuseOutcome.NOTHING_WRONG)
    assert nothing_there(open_house, kim, allowed.id)


def test_what_has_run_out_since_it_was_asked_for_is_not_allowed(
    open_house: Services, reported: str, kim: Operator, lee: Operator, clock: FrozenClock
) -> None:
    view = glass.ask_to_look(open_house, kim, reported)
    clock.advance(days=31)
    with pytest.raises(NotAllowed, match="erased"):
        glass.decide(open_house, lee, view.id, allow=True)
    glass.decide(open_house, lee, view.id, allow=False)


def test_only_images_that_the_report_may_be_about(
    open_house: Services, reported: str, made: Callable[..., Any], kim: Operator
) -> None:
    made(who=BOB, original=b"another file")
    with pytest.raises(NotAllowed):
        glass.ask_to_look(open_house, kim, reported, headshots(open_house, BOB)[0].id)


def test_somebody_else_cannot_forbid_it(open_house: Services, allowed: GlassView, kim: Operator) -> None:
    with pytest.raises(NotFound):
        glass.forbid(open_house, BOB)
    assert glass.look(open_house, kim, allowed.id)


# ----------------------------------------------------------------------------------------------------------- the traces
def test_each_step_is_in_the_log_and_looks_once_in_a_minute(
    open_house: Services, allowed: GlassView, kim: Operator, lee: Operator, clock: FrozenClock
) -> None:
    for seconds in (0, 30, 29, 1):
        clock.advance(seconds=seconds)
        glass.look(open_house, kim, allowed.id)
    steps = [("glass:asked", kim.actor), ("glass:allowed", lee.actor)]
    assert deeds(open_house, "glass") == [*steps, ("glass:seen", kim.actor), ("glass:seen", kim.actor)]
    with open_house.reading() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.action.startswith("glass:"))).all()  # type: ignore[attr-defined]
        seen = session.get_one(GlassView, allowed.id)
    assert {entry.ref for entry in entries} == {allowed.id}
    assert seen.first_seen_at is not None and seen.last_seen_at == clock()


def test_its_owner_is_told_of_what_was_allowed_seen_or_not(
    open_house: Services, reported: str, allowed: GlassView, kim: Operator, lee: Operator
) -> None:
    refused = glass.ask_to_look(open_house, kim, reported, another(open_house, allowed).id)
    glass.decide(open_house, lee, refused.id, allow=False)
    with open_house.reading() as session:
        (told,) = glass.of_subject(session, allowed.subject_id)
    assert (told.view.id, told.view.first_seen_at, told.is_upload) == (allowed.id, None, False)


def test_no_byte_of_it_is_stored(
    open_house: Services, allowed: GlassView, kim: Operator, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    before = dict(store.objects)
    picture = glass.look(open_house, kim, allowed.id)
    assert store.objects == before
    with open_house.database.connect() as connection:
        held = repr([connection.execute(table.select()).all() for table in GlassView.metadata.sorted_tables])
    assert picture[200:216].hex() not in held and repr(picture[200:216])[2:-1] not in held
    assert "glass" not in caplog.text


# ---------------------------------------------------------------------------------------------------------- the picture
def photo(size: tuple[int, int], kind: str = "JPEG", mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 40).convert(mode).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("size", "kind", "shown"),
    [((1600, 2000), "JPEG", (720, 900)), ((300, 200), "PNG", (300, 200)), ((2400, 600), "WEBP", (900, 225))],
)
def test_the_words_are_all_over_the_pixels(size: tuple[int, int], kind: str, shown: tuple[int, int]) -> None:
    data = photo(size, kind)
    drawn = drawing.small_and_marked(data, "0a1b2c3d · operator 4e5f6a7b · 2026-11-21 14:02:00 UTC")
    with Image.open(io.BytesIO(drawn)) as image:
        assert (image.format, image.size) == ("JPEG", shown)
        assert not {"exif", "xmp", "icc_profile", "comment"} & set(image.info)
        marked = image.convert("L")
    with Image.open(io.BytesIO(drawing.small_and_marked(data, " "))) as image:
        differs = ImageChops.difference(marked, image.convert("L")).point(lambda by: 255 * (by > 24))
    cell = 75
    cells = [
        differs.crop((x, y, x + cell, y + cell)).getbbox()
        for x in range(0, shown[0] - cell + 1, cell)
        for y in range(0, shown[1] - cell + 1, cell)
    ]
    assert all(cells), "a part of the picture is without a word"
    later = drawing.small_and_marked(data, "0a1b2c3d · operator 4e5f6a7b · 2026-11-21 14:02:01 UTC")
    assert later != drawn and data not in drawn and drawn[:2] == b"\xff\xd8"
