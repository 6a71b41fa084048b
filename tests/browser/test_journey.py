"""The whole journey of one photo, as its owner, a friend with the code, and a stranger live through it."""

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import expect

from core.marks import SourceType, read_marks
from tests.browser.backstage import Backstage
from tests.browser.studio import PATIENCE, Visitor, image_size, portrait
from tests.hostile import SECRETS
from tests.web.served import Server, until

pytestmark = pytest.mark.browser

Someone = Callable[..., Visitor]
UNKNOWN = "0" * 32
OPENS_NOTHING = "This code opens nothing."
WRONG_CODE = "7Q4K-M2XW-9PTB-3HVN-6RCJ-8DYF-5A00"


def test_a_photo_goes_in_headshots_come_out_and_nothing_stays(
    someone: Someone, server: Server, backstage: Backstage, **size: Any
) -> None:
    """Here at a desk and on SQLite; `test_on_postgresql` has it on a phone."""
    ann = someone(**size)
    objects_before = backstage.objects()
    ann.add(portrait())
    ann.reads(re.compile("Removed before saving: GPS position, camera serial number, .* more"))
    ann.choose("Business profile")
    ann.choose_picture("Style", "Warm")
    ann.choose_picture("Backdrop", "Navy")
    assert backstage.objects() == objects_before, "something was stored before its owner agreed"
    ann.agree()
    ann.generate()
    ann.sees("Making your headshots")
    ann.sees("Your headshots are ready")
    run = backstage.newest_run()
    assert (run.purpose, run.style, run.backdrop, run.variants) == ("business_profile", "warm", "navy", 2)

    check_downloads(ann)
    code = ann.claim_code()
    friend = someone()
    friend.enter_code(code)
    friend.sees("My photos")
    friend.press("Open in the studio")
    friend.sees("Your headshots are ready")
    (image, archive) = (next(a for a in ann.downloads().values() if part in a) for part in ("/img/", "/zip/"))
    assert friend.body_of(image) == ann.body_of(image)
    assert friend.status_of(archive) == 200

    addresses = sorted(ann.pictures | friend.pictures | {image, archive, f"/preview/{run.id}?ratio=1:1"})
    assert {address.split("/")[1] for address in addresses} == {"img", "zip", "before", "preview", "draft"}
    nobody_else_gets_them(someone(), server, addresses)

    ann.erase_this()
    ann.sees("Erased")
    expect(ann.page.get_by_text("erased ✓ proved")).to_have_count(3)
    ann.open()
    ann.sees("Erased")
    for visitor in (ann, friend):
        assert {visitor.status_of(address) for address in addresses} == {404}
    friend.open()
    friend.sees("Erased")

    late = someone()
    assert said_of(late, code) == said_of(late, WRONG_CODE)
    assert backstage.objects() == objects_before
    assert until(lambda: backstage.unproved(run.subject_id) == [])
    assert all(copy.gone_at and copy.evidence_id for copy in backstage.copies_of(run.subject_id))

    for visitor in (ann, friend, late):
        assert visitor.foreign == []
        assert visitor.refused == []
        assert visitor.complaints == []


def check_downloads(visitor: Visitor) -> None:
    """Every link gives what it says: sizes, kind, AI marks, and nothing of the photo's own metadata."""
    links = visitor.downloads()
    sizes = [name for name in links if re.search(r"\d", name)]
    assert len(sizes) >= 2
    for name in sizes:
        file = visitor.downloaded(name)
        assert name == "Download {} × {}".format(*image_size(file))
        assert clean_and_marked(file)
    packed = zipfile.ZipFile(io.BytesIO(visitor.downloaded("Download all")))
    assert packed.testzip() is None
    assert len(packed.namelist()) == 2 * len(sizes)
    assert all(clean_and_marked(packed.read(name)) for name in packed.namelist())


def clean_and_marked(file: bytes) -> bool:
    marks = read_marks(file)
    assert marks is not None and marks.source_type is SourceType.COMPOSITE
    with Image.open(io.BytesIO(file)) as image:
        assert image.format == "JPEG" and not image.getexif()
    return not any(secret in file for secret in SECRETS)


def nobody_else_gets_them(stranger: Visitor, server: Server, addresses: list[str]) -> None:
    """Foreign ids are answered exactly as ids that never were, with a cookie and without one."""

    def with_cookie(address: str) -> tuple[int, str]:
        answer = stranger.context.request.get(server.url + address)
        return answer.status, answer.text()

    def without_cookie(address: str) -> tuple[int, str]:
        answer = httpx.get(server.url + address)
        return answer.status_code, answer.text

    for address in addresses:
        never = re.sub(r"/[\w-]{20,}", f"/{UNKNOWN}", address, count=1)
        assert never != address
        for asked in (with_cookie, without_cookie):
            assert asked(address) == asked(never) == (404, "There is nothing here.")


def said_of(visitor: Visitor, code: str) -> str:
    """What the page answers to a code that opens nothing."""
    visitor.open()
    visitor.enter_code(code)
    note = visitor.page.locator(".ws-note").filter(has_text=OPENS_NOTHING)
    return note.inner_text(timeout=PATIENCE)
