"""What a file says of itself: ours, others', signed, damaged, made to do harm; and nothing of it stays anywhere."""

import io
import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from core import intake, provenance
from core.errors import InvalidPhoto
from core.marks import Marks, SourceType, generated, mark, provider
from core.picture_files import packet_of
from core.provenance import State, credentials
from core.ui import image_text
from tests import hostile
from tests.provenance.signed import SIGNER, TYPES, changed, signed

OURS = Marks(
    source_type=SourceType.COMPOSITE,
    system="WorkShot on-device engine (a mask)",
    version="2",
    created_at=datetime(2026, 11, 21, 12, tzinfo=UTC),
    id="0" * 32,
)


def plain(kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(out, kind)
    return out.getvalue()


def with_packet(packet: bytes) -> bytes:
    return hostile.with_segments(hostile.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet), of=plain())


def test_a_headshot_of_ours_says_so() -> None:
    found = provenance.look(mark(plain(), OURS))
    assert found.mark == provenance.Mark(
        state=State.KEPT,
        ours=True,
        source_type="composite",
        system=OURS.system,
        version="2",
        created_at=OURS.created_at,
    )
    assert found.credentials.state is State.ABSENT and (found.width, found.height) == (256, 256)
    assert "says that it was made by WorkShot" in image_text.origin(found)


@pytest.mark.parametrize("kind", TYPES)
def test_one_that_a_third_party_drew_says_who(kind: str) -> None:
    found = provenance.look(
        provider(plain(kind), TYPES[kind], generated(by="Somebody", model="painter-2", at=OURS.created_at))
    )
    assert found.mark.ours and found.mark.source_type == "trainedAlgorithmicMedia"
    assert image_text.origin(found) == "It says that Somebody made it, and that WorkShot marked it."


def test_a_picture_without_anything_says_nothing() -> None:
    found = provenance.look(plain())
    assert found.is_silent and "It does not say." in image_text.origin(found)


@pytest.mark.parametrize(
    "field",
    [
        b"<a:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia</a:DigitalSourceType>",
        b'<rdf:Description a:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/>',
        b"<rdf:Description a:DigitalSourceType = 'trainedAlgorithmicMedia'/>",
    ],
)
def test_a_mark_of_others_is_read_however_it_is_written(field: bytes) -> None:
    found = provenance.look(with_packet(b"<x:xmpmeta>" + field + b"</x:xmpmeta>"))
    assert found.mark.state is State.KEPT and not found.mark.ours
    assert found.mark.source_type == "trainedAlgorithmicMedia"


def test_a_mark_of_ours_that_was_cut_into_is_broken() -> None:
    whole = mark(plain(), OURS)
    cut = whole.replace(b"Iptc4xmpExt:DigitalSourceType", b"Iptc4xmpExt:DigitalSourceTypo")
    assert provenance.look(cut).mark.state is State.BROKEN


@pytest.mark.parametrize(
    "instant", ["0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_an_instant_that_nobody_lives_in_is_read_without_harm(instant: str) -> None:
    data = mark(plain(), OURS)
    packet = packet_of(data)
    assert packet is not None
    crafted = re.sub(b"<xmp:CreateDate>[^<]*<", b"<xmp:CreateDate>" + instant.encode() + b"<", packet)
    assert image_text.origin(provenance.look(with_packet(crafted)))


@pytest.mark.parametrize("kind", TYPES)
def test_credentials_are_kept_or_broken_by_a_bit(kind: str) -> None:
    whole, other = (provenance.look(data).credentials for data in (signed(kind), changed(signed(kind))))
    assert whole == provenance.Credentials(
        state=State.KEPT, signer=SIGNER, made_with="Painter 2", source_types=("trainedAlgorithmicMedia",)
    )
    assert other.state is State.BROKEN and "assertion.dataHash.mismatch" in other.problems


def test_what_only_looks_like_credentials_is_none_and_torn_ones_are_broken() -> None:
    box = hostile.segment(0xEB, b"JP\0\1\0\0\0\1" + b"jumbc2pa" + bytes(40))
    assert provenance.look(hostile.with_segments(box, of=plain())).credentials.state is State.ABSENT
    torn = signed().replace(b"c2pa.signature", b"c2pa.signaturo")
    assert provenance.look(torn).credentials.state is State.BROKEN


def test_a_reader_that_dies_leaves_it_unknown(tmp_path: Path) -> None:
    dying = tmp_path / "reader.py"
    dying.write_text("import os; os.abort()")
    assert credentials.read(signed(), "image/jpeg", reader=dying).state is State.UNKNOWN


def test_names_of_others_are_short_and_turn_nothing_around() -> None:
    found = provenance.look(signed(signer="Evil\u202estudio " + "x" * 40)).credentials
    assert "\u202e" not in found.signer and found.state is State.KEPT
    long = with_packet(b"<a:AISystemUsed>" + b"y" * 1900 + b"</a:AISystemUsed>")
    assert len(provenance.look(long).mark.system) == 100


def hostile_files() -> Iterator[bytes]:
    bomb = hostile.zeros(16 << 20)
    yield b""
    yield b"<html>no picture</html>"
    yield bytes(intake.MAX_BYTES + 1)
    yield hostile.with_segments(*[hostile.segment(0xFE, b"x")] * 30_000, of=plain())
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 6, 0, 0, 0)
    yield b"\x89PNG\r\n\x1a\n" + b"".join(
        hostile.chunk(name, body) for name, body in ((b"IHDR", header), (b"IDAT", b""), (b"IEND", b""))
    )
    for kind in TYPES:
        whole = signed(kind)
        yield from (whole[: len(whole) * share // 100] for share in (1, 30, 60))
    yield hostile.with_chunks(hostile.chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb))


def test_a_hostile_file_gets_a_sentence_or_says_nothing() -> None:
    outcomes = [_outcome(data) for data in hostile_files()]
    assert set(outcomes) <= {"unsupported", "unreadable", "too_heavy", "too_large", "empty", "broken", "absent"}
    assert outcomes[:5] == ["empty", "unsupported", "too_heavy", "unreadable", "too_large"]
    assert "kept" not in outcomes


def _outcome(data: bytes) -> str:
    try:
        return provenance.look(data).credentials.state
    except InvalidPhoto as refused:
        return refused.code


def test_nothing_of_the_library_is_loaded_where_it_could_do_harm() -> None:
    program = "import sys; from core import provenance; print('c2pa' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_whoever_makes_headshots_goes_before_the_reader() -> None:
    program = "import os, runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__');"
    program += "print(os.nice(0), file=sys.stderr)"
    command = [sys.executable, "-c", program, str(credentials.READER), "image/jpeg"]
    done = subprocess.run(command, input=plain(), capture_output=True, check=True)
    assert int(done.stderr) >= min(19, os.nice(0) + 10)


def test_every_state_has_its_words() -> None:
    assert set(image_text.LOOKS) == set(State)
    assert image_text.chip(State.UNKNOWN)[0] == image_text.chip(State.ABSENT)[0] == "unknown"
