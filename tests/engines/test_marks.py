"""Marks go into a JPEG without touching a pixel, push everything else out, and can be read back."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from core.marks import Marks, NotAPicture, SourceType, mark, metadata_segments, random_id, read_marks
from tests.engines import portraits

MARKS = Marks(
    source_type=SourceType.COMPOSITE,
    system="WorkShot <on-device> & more",
    version="1.0",
    created_at=datetime(2026, 11, 21, 12, 0, 5, tzinfo=UTC),
    id=random_id(),
)


def test_marks_come_back_as_they_went_in_and_pixels_stay() -> None:
    plain = portraits.portrait()
    marked = mark(plain, MARKS)
    assert read_marks(marked) == MARKS
    assert np.array_equal(portraits.pixels(plain), portraits.pixels(marked))


def test_marking_again_replaces_the_marks() -> None:
    twice = mark(mark(portraits.portrait(), MARKS), MARKS)
    assert metadata_segments(twice).count("APP1") == 1
    assert twice == mark(portraits.portrait(), MARKS)


def test_other_metadata_goes() -> None:
    loaded = portraits.jpeg(portraits.astronaut_pixels(), comment=b"hello", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")
    assert "COM" in metadata_segments(loaded)
    assert metadata_segments(mark(loaded, MARKS)) == ["APP0", "APP1"]


def test_times_are_told_in_utc() -> None:
    there = MARKS.created_at.astimezone(timezone(timedelta(hours=5)))
    marks = read_marks(mark(portraits.portrait(), Marks(**(vars(MARKS) | {"created_at": there}))))
    assert marks is not None and marks.created_at == MARKS.created_at


def test_a_picture_without_marks_has_none() -> None:
    assert read_marks(portraits.portrait()) is None


def test_marks_someone_tampered_with_are_none() -> None:
    marked = mark(portraits.portrait(), MARKS)
    assert read_marks(marked.replace(b"digitalsourcetype/composite<", b"digitalsourcetype/whatever!<")) is None


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00\x00abc", b"\xff\xd8" * 9])
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        mark(data, MARKS)


def test_ids_are_random() -> None:
    assert random_id() != random_id()
