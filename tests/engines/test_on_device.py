"""The on-device engine on a real portrait: sizes, honesty of what changes, and what must never come along."""

import hashlib
import io
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest
from PIL import Image

from core.engines.on_device import OnDevice
from core.engines.on_device.looks import BACKDROPS, STYLES
from core.engines.on_device.model import MODEL_FILE, PersonModel
from core.errors import EngineRefused, EngineUnavailable
from core.marks import SourceType, metadata_segments, read_marks
from core.ports import Framing, Headshot, Order, Stage
from tests.engines import portraits

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LONG_SIDE = 800
FACE = (slice(240, 350), slice(270, 370))  # rows, columns of the face in the 640 x 800 result


def engine() -> OnDevice:
    return OnDevice(clock=lambda: NOON)


def order(**changes: object) -> Order:
    usual: dict[str, object] = {
        "portrait": portraits.portrait(),
        "ratio": "4:5",
        "long_side": LONG_SIDE,
        "style": "studio",
        "backdrop": "grey",
        "variants": 1,
    }
    return Order(**(usual | changes))  # type: ignore[arg-type]


def headshots(wanted: Order) -> list[Headshot]:
    return [made for made in engine().make(wanted) if isinstance(made, Headshot)]


@cache
def four() -> list[Headshot]:
    return headshots(order(variants=4))


def test_stages_come_in_order_and_the_first_headshot_right_after() -> None:
    events = list(engine().make(order(variants=2)))
    names = tuple(event.name for event in events if isinstance(event, Stage))
    assert names == OnDevice.stages
    assert [event.variant for event in events[len(names) :] if isinstance(event, Headshot)] == [1, 2]


@pytest.mark.parametrize("ratio", ["1:1", "4:5", "3:4", "35:45"])
@pytest.mark.parametrize("long_side", [600, 1024])
def test_size_is_the_ratio_exactly_and_never_more_than_asked(ratio: str, long_side: int) -> None:
    (made,) = headshots(order(ratio=ratio, long_side=long_side))
    across, down = (int(part) for part in ratio.split(":"))
    with Image.open(io.BytesIO(made.data)) as image:
        assert image.format == "JPEG"
        assert image.size == (made.width, made.height)
    assert made.width * down == made.height * across
    assert long_side * 0.9 < max(made.width, made.height) <= long_side


def test_same_order_same_pixels() -> None:
    again = headshots(order(variants=4))
    for first, second in zip(four(), again, strict=True):
        assert np.array_equal(portraits.pixels(first.data), portraits.pixels(second.data))


def test_only_the_marks_differ_between_two_runs() -> None:
    first, second = headshots(order())[0], headshots(order())[0]
    marks, others = read_marks(first.data), read_marks(second.data)
    assert marks is not None and others is not None
    assert marks.id != others.id


def test_variants_asked_to_skip_are_not_made_again_and_the_rest_is_unchanged() -> None:
    made = headshots(order(variants=4, skip=frozenset({1, 3})))
    assert [headshot.variant for headshot in made] == [2, 4]
    assert np.array_equal(portraits.pixels(made[0].data), portraits.pixels(four()[1].data))


def test_nothing_is_done_when_all_variants_are_there() -> None:
    assert list(engine().make(order(variants=2, skip=frozenset({1, 2})))) == []


def test_variants_differ_in_light_but_leave_the_head_its_colour() -> None:
    pictures = [portraits.pixels(made.data) for made in four()]
    colours = [np.median(picture[FACE].reshape(-1, 3), axis=0) for picture in pictures]
    for picture, colour in zip(pictures[1:], colours[1:], strict=True):
        assert np.abs(picture.astype(int) - pictures[0].astype(int)).mean() > 1
        assert np.abs(colour - colours[0]).max() < 16


@pytest.mark.parametrize(
    ("backdrop", "least", "most"),
    [("white", (225, 225, 225), (255, 255, 255)), ("navy", (8, 18, 35), (70, 95, 140))],
)
def test_backdrop_fills_the_corners(backdrop: str, least: tuple[int, int, int], most: tuple[int, int, int]) -> None:
    picture = portraits.pixels(headshots(order(backdrop=backdrop))[0].data)
    for corner in (picture[:40, :40], picture[:40, -40:]):
        colour = corner.reshape(-1, 3).mean(axis=0)
        assert (colour >= least).all() and (colour <= most).all()


def test_own_image_becomes_the_backdrop() -> None:
    image = portraits.jpeg(np.full((500, 700, 3), (20, 160, 60), np.uint8))
    picture = portraits.pixels(headshots(order(backdrop="own", backdrop_image=image))[0].data)
    corner = picture[:40, :40].reshape(-1, 3).mean(axis=0)
    assert np.abs(corner - np.array([19, 150, 56])).max() < 14


def test_own_backdrop_without_an_image_is_refused() -> None:
    with pytest.raises(EngineRefused) as refusal:
        headshots(order(backdrop="own"))
    assert refusal.value.code == "backdrop_missing"


@pytest.mark.parametrize("style", sorted(STYLES))
def test_every_style_keeps_the_face_and_every_one_differs(style: str) -> None:
    picture = portraits.pixels(headshots(order(style=style, long_side=480))[0].data)
    assert picture.std() > 20
    grey = np.abs(picture[..., 0].astype(int) - picture[..., 2].astype(int)).max() <= 3
    assert grey == (style == "mono")


@pytest.mark.parametrize("backdrop", sorted(set(BACKDROPS) - {"own"}))
def test_every_backdrop_leaves_the_person_alone(backdrop: str) -> None:
    face = (slice(144, 210), slice(162, 222))
    usual = portraits.pixels(headshots(order(long_side=480))[0].data)[face]
    picture = portraits.pixels(headshots(order(backdrop=backdrop, long_side=480))[0].data)[face]
    assert np.abs(picture.astype(int) - usual.astype(int)).mean() < 6


def test_before_is_the_original_in_the_frame_of_the_result() -> None:
    framing = Framing(zoom=1.2)
    made = headshots(order(framing=framing, style="natural", backdrop="surroundings"))[0]
    before = engine().before(portraits.portrait(), ratio="4:5", framing=framing, long_side=LONG_SIDE)
    result, original = portraits.pixels(made.data), portraits.pixels(before)
    assert result.shape == original.shape
    head = (slice(120, 340), slice(230, 400))
    here = _likeness(result[head], original[head])
    for dy, dx in ((-3, 0), (3, 0), (0, -3), (0, 3)):
        moved = np.roll(original, (dy, dx), axis=(0, 1))
        assert here > _likeness(result[head], moved[head])
    assert here > 0.97


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.mean(axis=2).ravel(), other.mean(axis=2).ravel())[0, 1])


def test_preview_has_the_shape_of_the_result() -> None:
    preview = portraits.pixels(engine().preview(portraits.portrait(), ratio="35:45"))
    assert preview.shape[0] * 7 == preview.shape[1] * 9
    assert preview.shape[0] <= 480


def test_zoom_brings_the_head_closer() -> None:
    near, far = (
        engine().before(portraits.portrait(), ratio="1:1", framing=Framing(zoom=zoom), long_side=400)
        for zoom in (1.4, 0.9)
    )
    assert not np.array_equal(portraits.pixels(near), portraits.pixels(far))


def test_marks_are_there_and_nothing_else() -> None:
    portrait = _with_metadata()
    (made,) = headshots(order(portrait=portrait))
    marks = read_marks(made.data)
    assert marks is not None
    assert marks.source_type is SourceType.COMPOSITE
    assert "WorkShot" in marks.system
    assert marks.created_at == NOON
    assert set(metadata_segments(made.data)) <= {"APP0", "APP1"}
    with Image.open(io.BytesIO(made.data)) as image:
        assert not dict(image.getexif())
        assert "icc_profile" not in image.info
        assert "comment" not in image.info
    for secret in (b"Nikon", b"Ada", b"a comment"):
        assert secret not in made.data


def _with_metadata() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Nikon"
    exif[0x013B] = "Ada"
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return portraits.jpeg(portraits.astronaut_pixels(), exif=exif.tobytes(), icc_profile=profile, comment=b"a comment")


def test_a_photo_without_a_person_is_refused() -> None:
    with pytest.raises(EngineRefused) as refusal:
        headshots(order(portrait=portraits.bricks()))
    assert refusal.value.code == "no_person"


def test_a_person_that_only_the_first_look_saw_is_refused() -> None:
    class Wavering(PersonModel):
        looks = 0

        def segment(self, picture):  # type: ignore[no-untyped-def]
            self.looks += 1
            return super().segment(picture) * (self.looks == 1)

    with pytest.raises(EngineRefused) as refusal:
        list(OnDevice(model=Wavering()).make(order(framing=Framing(turns=0))))
    assert refusal.value.code == "no_person"


@pytest.mark.parametrize(
    ("photo", "code"),
    [
        (b"not a picture", "unreadable"),
        (portraits.jpeg(np.zeros((150, 150, 3), np.uint8)), "too_small"),
        (portraits.portrait()[:30], "unreadable"),
    ],
)
def test_what_is_no_photo_is_refused_in_words(photo: bytes, code: str) -> None:
    with pytest.raises(EngineRefused) as refusal:
        headshots(order(portrait=photo))
    assert refusal.value.code == code
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"style": "vampire"}, "unknown_style"),
        ({"backdrop": "moon"}, "unknown_backdrop"),
        ({"ratio": "16:9"}, "unknown_ratio"),
    ],
)
def test_choices_we_do_not_know_are_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(EngineRefused) as refusal:
        headshots(order(**change))
    assert refusal.value.code == code


def test_a_good_photo_gives_no_findings() -> None:
    assert engine().examine(portraits.portrait()) == []


@pytest.mark.parametrize(
    ("photo", "code", "blocking"),
    [
        (portraits.bricks, "no_person", True),
        (portraits.far_away, "person_too_small", True),
        (portraits.two_people, "several_people", False),
        (portraits.cut_at_top, "head_cut_at_top", False),
        (portraits.turned_portrait, "turned_by_us", False),
    ],
)
def test_findings_say_what_was_seen(photo: object, code: str, blocking: bool) -> None:
    found = {finding.code: finding for finding in engine().examine(photo())}  # type: ignore[operator]
    assert code in found
    assert found[code].blocking is blocking
    assert found[code].says.endswith((".", "?"))


def test_a_photo_on_its_side_is_turned_upright() -> None:
    upright = engine().before(portraits.wall_portrait(), ratio="1:1", long_side=400)
    turned = engine().before(portraits.turned_portrait(), ratio="1:1", long_side=400)
    assert _likeness(portraits.pixels(upright), portraits.pixels(turned)) > 0.95


def test_turns_that_were_asked_for_are_taken_as_they_are() -> None:
    asked = engine().before(portraits.turned_portrait(), ratio="1:1", framing=Framing(turns=3), long_side=400)
    upright = engine().before(portraits.wall_portrait(), ratio="1:1", framing=Framing(turns=0), long_side=400)
    assert _likeness(portraits.pixels(asked), portraits.pixels(upright)) > 0.95


def test_an_altered_model_is_never_loaded(tmp_path) -> None:  # type: ignore[no-untyped-def]
    altered = tmp_path / "model.tflite"
    altered.write_bytes(MODEL_FILE.read_bytes() + b"\0")
    with pytest.raises(EngineUnavailable) as refusal:
        list(OnDevice(model=PersonModel(altered)).make(order()))
    assert refusal.value.code == "model_altered"


def test_the_model_that_ships_is_the_one_we_tested() -> None:
    assert hashlib.sha256(MODEL_FILE.read_bytes()).hexdigest().startswith("9ee168ec")
    assert "Apache License" in MODEL_FILE.with_suffix(".LICENSE").read_text(encoding="utf-8")


def test_closing_the_iterator_stops_the_work() -> None:
    calls: list[str] = []

    class Counting(PersonModel):
        def segment(self, picture):  # type: ignore[no-untyped-def]
            calls.append("segment")
            return super().segment(picture)

    run = OnDevice(model=Counting()).make(order(variants=4))
    assert next(run) == Stage(name="reading")
    assert next(run) == Stage(name="outlining")
    run.close()  # type: ignore[attr-defined]
    assert calls == []
    assert list(run) == []


def test_the_engine_names_itself() -> None:
    made = engine()
    assert (made.name, made.takes_note, made.takes_clothing) == ("on_device", False, False)
    assert made.title and made.run_by
