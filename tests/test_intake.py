"""Intake: hostile files get a sentence, good ones come out clean, upright and honestly described."""

import io
import json
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from core import intake
from core.errors import Busy, InvalidPhoto
from core.intake import checks, removed
from tests import hostile

ONE_GIB = 1 << 30
PATIENCE = 30.0  # seconds for any one file, on busy cores

NEVER = (*hostile.SECRETS, b"<?php", b"<script", b"PK\3\4", b"ftyp", b"ICC_PROFILE", b"http:", b"Exif")
LADEN = ("laden jpeg", "laden png", "laden webp", "laden avif")

# Runs in a process of its own, so that its memory is that of reading and nothing else.
READ_ALL = r"""
import json, pathlib, sys, time
from core import intake
from core.errors import InvalidPhoto

def markers(data):
    found, at = [], 2
    while data[at + 1] != 0xDA:
        found.append(data[at + 1])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return found

for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    began, says, kept, data = time.monotonic(), "", [], b""
    try:
        data = intake.read(path.read_bytes()).data
        outcome, kept = "reads", markers(data)
    except InvalidPhoto as refusal:
        outcome, says = refusal.code, str(refusal)
    except BaseException as other:
        outcome = repr(other)
    seconds = time.monotonic() - began
    leaks = [word for word in sys.argv[2:] if bytes.fromhex(word) in data]
    whole = not data or (data.endswith(b"\xff\xd9") and data.count(b"\xff\xd9") == 1)
    print(json.dumps({"file": path.name, "outcome": outcome, "says": says, "kept": kept, "leaks": leaks, "whole": whole,
                      "seconds": seconds}))
status = pathlib.Path("/proc/self/status").read_text()
peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
print(json.dumps({"peak": peak * 1024}))
"""


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The whole corpus, read by one process."""
    folder = tmp_path_factory.mktemp("corpus")
    expected = {}
    for number, case in enumerate(hostile.corpus()):
        (folder / f"{number:04}").write_bytes(case.data)
        expected[f"{number:04}"] = (case.name, case.expect)
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(folder), *(word.hex() for word in NEVER)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    *lines, last = [json.loads(line) for line in done.stdout.splitlines()]
    return {"expected": expected, "lines": lines, "peak": last["peak"], "noise": done.stderr}


def test_every_file_comes_to_what_it_should(reading: dict) -> None:
    got = [(reading["expected"][line["file"]][0], line["outcome"]) for line in reading["lines"]]
    assert got == list(reading["expected"].values())
    assert len(got) >= 70


def test_names_in_the_corpus_are_unique(reading: dict) -> None:
    names = [name for name, _ in reading["expected"].values()]
    assert len(names) == len(set(names))


def test_every_refusal_is_a_sentence(reading: dict) -> None:
    for line in reading["lines"]:
        if line["outcome"] != hostile.READS:
            assert line["says"][0].isupper() and line["says"].endswith("."), line
            assert len(line["says"]) > 40, line


def test_memory_stays_below_a_gibibyte(reading: dict) -> None:
    assert reading["peak"] < ONE_GIB


def test_no_decoder_talks_into_the_log(reading: dict) -> None:
    """Messages of decoders quote what is in the file."""
    assert reading["noise"] == ""


def test_time_is_bounded(reading: dict) -> None:
    slowest = max(reading["lines"], key=lambda line: line["seconds"])
    assert slowest["seconds"] < PATIENCE, reading["expected"][slowest["file"]]


def test_output_has_no_segment_that_could_carry_anything(reading: dict) -> None:
    """JFIF header, tables and the frame: no APP1 to APP15, no comment."""
    for line in reading["lines"]:
        assert set(line["kept"]) <= {0xE0, 0xDB, 0xC0, 0xC4}, reading["expected"][line["file"]]


# Upright, and the right colours


def pixels(photo: intake.CleanPhoto) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(photo.data))).astype(int)


def close_to_portrait(photo: intake.CleanPhoto, within: float) -> bool:
    original = np.asarray(hostile.portrait()).astype(int)
    return pixels(photo).shape == original.shape and float(np.abs(pixels(photo) - original).mean()) < within


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_give_the_same_upright_picture(orientation: int) -> None:
    assert close_to_portrait(intake.read(hostile.turned(orientation)), within=3)


@pytest.mark.parametrize(
    "name", ["orientation 6 in png", "orientation 6 in webp", "orientation 6 in avif", "turned heic"]
)
def test_other_formats_are_turned_upright_too(name: str) -> None:
    case = hostile.named(name)
    assert close_to_portrait(intake.read(case.data), within=8)


@pytest.mark.parametrize(
    ("name", "within"),
    [
        ("cmyk jpeg", 8),
        ("progressive jpeg", 4),
        ("rgb jpeg", 4),
        ("16-bit rgb png", 2),
        ("lossless webp", 4),
        ("palette png", 12),
        ("animated png", 2),
        ("animated webp", 5),
        ("animated avif", 5),
        ("multi-picture jpeg", 4),
        ("motion photo", 4),
    ],
)
def test_the_picture_survives_its_format(name: str, within: float) -> None:
    case = hostile.named(name)
    assert close_to_portrait(intake.read(case.data), within=within)


def test_grey_of_sixteen_bits_keeps_its_tones() -> None:
    case = hostile.named("16-bit grey png")
    grey = np.asarray(hostile.portrait().convert("L")).astype(int)
    assert float(np.abs(pixels(intake.read(case.data))[..., 0] - grey).mean()) < 2


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_what_is_see_through_becomes_white(kind: str) -> None:
    image = Image.new("RGBA", (300, 300), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 300, 150))
    result = pixels(intake.read(hostile.encoded(image, kind)))
    assert (np.abs(result[30, 150] - (0, 0, 255)) < 12).all()
    assert (result[270, 150] > 250).all()


def test_a_colour_profile_is_applied_not_dropped() -> None:
    swapped = _with_red_and_blue_swapped(hostile.icc())
    photo = intake.read(hostile.encoded(Image.new("RGB", (300, 300), (220, 20, 20)), "PNG", icc_profile=swapped))
    red, _green, blue = pixels(photo)[150, 150]
    assert blue > red + 100


def _with_red_and_blue_swapped(profile: bytes) -> bytes:
    """No camera has such primaries, and so nobody can mistake conversion for dropping."""
    renamed = profile.replace(b"rXYZ", b"tmp!").replace(b"bXYZ", b"rXYZ").replace(b"tmp!", b"bXYZ")
    return renamed.replace(b"s\0R\0G\0B", b"m\0i\0n\0e").replace(b"sRGB", b"mine")


def test_the_longest_side_is_capped() -> None:
    photo = intake.read(hostile.encoded(Image.new("RGB", (6600, 1650), (90, 120, 150)), "JPEG"))
    assert (photo.width, photo.height) == (6000, 1500)


def test_full_colour_resolution_is_kept() -> None:
    with Image.open(io.BytesIO(intake.read(hostile.jpeg()).data)) as image:
        assert image.format == "JPEG" and image.mode == "RGB"
        assert all(layer[1:3] == (1, 1) for layer in image.layer)  # type: ignore[attr-defined]


# Nothing of the file survives


def test_nothing_of_the_input_survives(reading: dict) -> None:
    for line in reading["lines"]:
        assert not line["leaks"], reading["expected"][line["file"]]
        assert line["whole"], reading["expected"][line["file"]]


def test_another_reader_finds_nothing_either() -> None:
    for name in (*LADEN, "animated webp", "multi-picture jpeg", "jpeg and php comment"):
        with Image.open(io.BytesIO(intake.read(hostile.named(name).data).data)) as image:
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}, name
            assert not image.getexif(), name


def test_reading_twice_finds_nothing_more() -> None:
    again = intake.read(intake.read(hostile.laden()).data)
    assert again.removed.items == ()
    assert again.removed.headline() == "nothing: the file held only the picture"


# What was removed


def words(data: bytes) -> list[str]:
    return [item.words for item in intake.read(data).removed.items]


def test_the_headline_names_the_most_personal_first() -> None:
    gone = intake.read(hostile.laden()).removed
    assert gone.headline() == f"GPS position, camera serial number, {gone.total - _count(gone, 2)} more"
    assert gone.headline(most=1).startswith("GPS position, ")


def _count(gone: intake.Removed, first: int) -> int:
    return sum(item.count for item in gone.items[:first])


def test_everything_a_laden_jpeg_carries_is_listed() -> None:
    assert words(hostile.laden()) == [
        removed.GPS,
        removed.SERIAL,
        removed.OWNER,
        removed.PLACE,
        removed.VIDEO,
        removed.DATE,
        removed.CAMERA,
        removed.SOFTWARE,
        removed.CAPTION,
        removed.COMMENT,
        removed.CREDENTIALS,
        removed.SETTINGS,
        removed.PROFILE,
    ]


@pytest.mark.parametrize("name", LADEN)
def test_no_value_is_ever_told(name: str) -> None:
    told = repr(intake.read(hostile.named(name).data).removed).encode()
    assert not any(secret in told for secret in hostile.SECRETS)


def test_gps_is_seen_wherever_it_hides() -> None:
    for name in (*LADEN, "exif as png text", "gps in xmp only"):
        assert removed.GPS in words(hostile.named(name).data), name
    assert removed.GPS in words(hostile.heic())


def test_each_kind_has_a_group() -> None:
    groups = intake.read(hostile.laden()).removed.by_group()
    assert list(groups)[:3] == ["Where you were", "Your camera", "Who you are"]
    assert sum(len(items) for items in groups.values()) == len(words(hostile.laden()))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("motion photo", removed.VIDEO),
        ("multi-picture jpeg", removed.EXTRA),
        ("animated webp", removed.EXTRA),
        ("animated png", removed.EXTRA),
    ],
)
def test_pictures_beside_the_picture_are_counted(name: str, expected: str) -> None:
    case = hostile.named(name)
    assert words(case.data) == [expected]


def test_the_photo_keeps_itself_out_of_its_repr() -> None:
    photo = intake.read(hostile.jpeg())
    assert "data" not in repr(photo) and len(repr(photo)) < 2000


# Findings


def codes(image: Image.Image) -> set[str]:
    return {finding.code for finding in checks.findings(image)}


@pytest.mark.parametrize("side", [640, 1024, 2048, 3000])
def test_blur_is_told_from_sharpness_at_every_size(side: int) -> None:
    sharp = hostile.portrait().resize((side, side * 5 // 4), Image.Resampling.LANCZOS)
    longest = side * 5 / 4
    assert "blurred" not in codes(sharp)
    assert "blurred" not in codes(sharp.filter(ImageFilter.GaussianBlur(1.5 * longest / 1024)))
    assert "blurred" in codes(sharp.filter(ImageFilter.GaussianBlur(6 * longest / 1024)))
    assert "blurred" in codes(sharp.filter(ImageFilter.GaussianBlur(12 * longest / 1024)))


def test_a_plain_wall_or_a_soft_background_is_not_blur() -> None:
    wall = Image.new("RGB", (2000, 2000), (205, 195, 185))
    wall.paste(hostile.portrait(), (760, 1400))
    assert "blurred" not in codes(wall)
    soft = hostile.portrait().resize((2000, 2500)).filter(ImageFilter.GaussianBlur(25))
    soft.paste(hostile.portrait(), (700, 1000))
    assert "blurred" not in codes(soft)


def test_noise_and_darkness_do_not_pass_for_sharpness() -> None:
    blurred = hostile.portrait().resize((1000, 1250)).filter(ImageFilter.GaussianBlur(8))
    noise = np.random.default_rng(1).normal(0, 8, (1250, 1000, 3))
    noisy = Image.fromarray(np.clip(np.asarray(blurred) + noise, 0, 255).astype(np.uint8))
    assert "blurred" in codes(noisy)
    assert "blurred" in codes(blurred.point(lambda value: value // 4))


def test_light_is_judged_with_care() -> None:
    portrait = hostile.portrait().resize((800, 1000))
    assert codes(portrait) == set()
    assert "dark" in codes(portrait.point(lambda value: value // 5))
    assert "blown_out" in codes(portrait.point(lambda value: min(255, value * 4)))
    assert codes(portrait.point(lambda value: 100 + value // 6)) == {"low_contrast"}
    assert codes(portrait.convert("L").convert("RGB")) == {"greyscale"}


def test_a_white_backdrop_is_not_blown_out() -> None:
    white = Image.new("RGB", (1200, 1500), "white")
    white.paste(hostile.portrait().resize((800, 1000)), (200, 400))
    assert "blown_out" not in codes(white)


def test_small_is_advice_and_tiny_is_refused() -> None:
    photo = intake.read(hostile.jpeg())
    assert [(finding.code, finding.blocking) for finding in photo.findings] == [("small", False)]
    with pytest.raises(InvalidPhoto, match="too small for a headshot") as refusal:
        intake.read(hostile.encoded(hostile.portrait().resize((160, 200)), "JPEG"))
    assert refusal.value.code == "too_small"


# Room to decode


def test_photos_share_the_room_and_wait_for_it() -> None:
    room = intake._Room(10)
    inside, leave, second = threading.Event(), threading.Event(), threading.Event()

    def first_photo() -> None:
        with room.of(8):
            inside.set()
            leave.wait(10)

    def second_photo() -> None:
        with room.of(5):
            second.set()

    threads = [threading.Thread(target=first_photo), threading.Thread(target=second_photo)]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    with room.of(2):
        assert not second.wait(0.05)
    leave.set()
    assert second.wait(10)
    for thread in threads:
        thread.join(10)


def test_who_waits_too_long_is_told_so() -> None:
    room = intake._Room(10, patience=0.01)
    with room.of(10), pytest.raises(Busy, match="try again"), room.of(1):
        pass


def test_a_failed_read_gives_its_room_back() -> None:
    for _ in range(3):
        with pytest.raises(InvalidPhoto):
            intake.read(hostile._with_png_size(7000, 8000))
    assert intake._room._free == intake.MAX_PIXELS


def test_a_clean_photo_is_plain_data() -> None:
    photo = intake.read(hostile.jpeg())
    assert pickle.loads(pickle.dumps(photo)).width == photo.width
