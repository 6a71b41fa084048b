"""Broken and tricky files through the page: each gets its sentence, and leaves no row and no file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core import intake
from core.errors import InvalidPhoto
from tests import hostile
from tests.browser.backstage import Backstage
from tests.browser.studio import PATIENCE, Visitor, visiting
from tests.web.served import Server, until

pytestmark = pytest.mark.browser

REFUSED = (
    "empty",
    "html",
    "zip",
    "gif",
    "video named heic",
    "jpg cut at 50 %",
    "png with a flipped byte",
    "250 x 20000",
    "chunks without end",
)
READ = ("laden jpeg", "markup in name", "orientation 6", "heic")


@pytest.fixture(scope="module")
def visitor(chromium: Browser, server: Server) -> Iterator[Visitor]:
    with visiting(chromium, server) as ann:
        yield ann.open()


@pytest.fixture
def nothing_is_left(backstage: Backstage, visitor: Visitor) -> Iterator[None]:
    before = backstage.traces()
    yield
    assert backstage.traces() == before
    assert visitor.complaints == []


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.usefixtures("nothing_is_left")
def test_a_file_that_is_no_photo_gets_its_sentence(visitor: Visitor, name: str) -> None:
    case = hostile.named(name)
    with pytest.raises(InvalidPhoto) as refused:
        intake.read(case.data)
    visitor.choose_file(case.data, case.filename)
    expect(visitor.page.get_by_role("alert").filter(has_text=str(refused.value))).to_be_visible(timeout=PATIENCE)
    visitor.reads("It was not stored anywhere.")
    visitor.open()


@pytest.mark.parametrize("name", READ)
@pytest.mark.usefixtures("nothing_is_left")
def test_a_strange_photo_is_taken_and_its_name_is_nowhere(visitor: Visitor, server: Server, name: str) -> None:
    case = hostile.named(name)
    visitor.add(case.data, case.filename)
    picture = visitor.page.get_by_role("img", name="How your headshot will be framed")
    assert until(lambda: picture.evaluate("image => image.complete && image.naturalWidth > 0"))
    assert case.filename not in visitor.page.content()
    assert case.filename not in server.logged()
    visitor.settled()
    visitor.press("Use another photo")
    expect(visitor.page.get_by_test_id("stFileUploader")).to_be_visible(timeout=PATIENCE)


@pytest.mark.usefixtures("nothing_is_left")
def test_a_file_beyond_the_limit_does_not_even_arrive(visitor: Visitor, tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(b"\xff\xd8" + bytes(21 * 1024**2))
    uploader = visitor.page.get_by_test_id("stFileUploader")
    uploader.locator("input[type=file]").set_input_files(large)
    expect(uploader).to_contain_text("must be 20", timeout=PATIENCE)
    visitor.open()


def test_every_kind_of_refusal_is_among_them() -> None:
    assert {hostile.named(name).expect for name in READ} == {hostile.READS}
    assert len({hostile.named(name).expect for name in REFUSED}) == 4
