"""What a person may choose before, during and after a run, each by doing it."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.contracts import Contract
from core.models import CopyKind
from tests.browser.backstage import Backstage
from tests.browser.conftest import APP
from tests.browser.studio import PATIENCE, Visitor, image_size, portrait, rocket, visiting
from tests.web.served import serve, until

pytestmark = pytest.mark.browser

Someone = Callable[..., Visitor]


def test_not_kept_means_that_the_photo_goes_with_the_run(someone: Someone, backstage: Backstage) -> None:
    ann = someone().add()
    ann.choose("Not kept")
    ann.reads("Your photo is erased the moment the run ends; the results one hour later.")
    ann.agree()
    ann.generate()
    ann.sees("Your headshots are ready")
    ann.reads("there is no before to compare with")
    expect(ann.page.get_by_role("slider", name="Compare before and after")).to_have_count(0)
    expect(ann.button("Make another from this photo")).to_have_count(0)
    ann.reads(re.compile("(59|60) min left|1 h left"))

    run = backstage.newest_run()
    assert ann.status_of(f"/before/{run.id}") == ann.status_of(f"/img/{run.portrait_id}") == 404
    gone = {CopyKind.PORTRAIT}
    assert until(lambda: {c.kind for c in backstage.copies_of(run.subject_id) if c.gone_at is not None} == gone)


def test_a_clock_is_made_shorter_and_never_longer(someone: Someone, backstage: Backstage) -> None:
    ann = someone().make()
    ann.reads(re.compile(r"\d+ d \d+ h left"))
    ann.choose("24 hours")
    ann.press("Keep only 24 hours")
    ann.reads(re.compile("23 h 5\\d min left"))
    expect(ann.page.get_by_role("radio", name="7 days")).to_have_count(0)

    run = backstage.newest_run()
    assert run.contract is Contract.DAY
    assert {copy.erase_by - run.uploaded_at for copy in backstage.copies_of(run.subject_id)} == {timedelta(days=1)}


def test_another_run_from_the_same_photo_and_a_favourite(someone: Someone, backstage: Backstage) -> None:
    ann = someone().make()
    first = backstage.newest_run()
    ann.choose_picture("Variants", "Headshot 2")
    expect(ann.page.get_by_role("img", name="Headshot 2", exact=True)).to_be_visible()
    ann.press("Make this my favourite")
    expect(ann.page.get_by_role("button", name="Your favourite")).to_be_visible(timeout=PATIENCE)
    ann.open()
    expect(ann.page.get_by_role("radio", name="Headshot 2")).to_be_checked(timeout=PATIENCE)

    ann.press("Make another from this photo")
    ann.sees("Another from the same photo")
    ann.choose("Company bio")
    ann.choose("1")
    ann.generate()
    ann.sees("Your headshot is ready")
    second = backstage.newest_run()
    assert (second.portrait_id, second.erase_by) == (first.portrait_id, first.erase_by)
    wide, high = image_size(ann.downloaded(next(iter(ann.downloads()))))
    assert wide * 4 == pytest.approx(high * 3, rel=0.01)

    ann.erase_this()
    ann.sees("Erased")
    ann.reads("another run of yours still uses it")
    assert ann.status_of(f"/before/{first.id}") == 200


def test_an_own_backdrop(someone: Someone, backstage: Backstage) -> None:
    ann = someone().add()
    ann.choose_picture("Backdrop", "Your own image")
    ann.agree()
    ann.press("Generate headshots")
    ann.reads("Please add your backdrop first")
    ann.choose_file(rocket(), label="Your backdrop")
    expect(ann.page.get_by_role("img", name="Your backdrop")).to_be_visible(timeout=PATIENCE)
    ann.settled()
    ann.generate()
    ann.sees("Your headshots are ready")
    kinds = sorted(copy.kind for copy in backstage.copies_of(backstage.newest_run().subject_id))
    assert kinds == [CopyKind.BACKDROP, CopyKind.HEADSHOT, CopyKind.HEADSHOT, CopyKind.PORTRAIT]


def test_framing_is_seen_before_anything_is_spent(someone: Someone) -> None:
    ann = someone().add()
    preview = ann.page.get_by_role("img", name="How your headshot will be framed")
    ann.choose("Résumé")
    expect(preview).to_have_attribute("src", re.compile("ratio=35%3A45"), timeout=PATIENCE)
    ann.press("Rotate")
    expect(preview).to_have_attribute("src", re.compile("turns=1"), timeout=PATIENCE)
    ann.page.get_by_role("slider", name="Zoom").focus()
    for _ in range(3):
        ann.page.keyboard.press("ArrowRight")
    expect(preview).to_have_attribute("src", re.compile("zoom=103"), timeout=PATIENCE)
    assert until(lambda: preview.evaluate("image => image.complete && image.naturalWidth > 0"))


def test_without_both_ticks_nothing_happens(someone: Someone, backstage: Backstage) -> None:
    ann = someone().add()
    before = backstage.traces()
    ann.press("Generate headshots")
    ann.reads("Please tick both boxes first: they are your consent.")
    assert backstage.traces() == before


def test_closing_leaves_the_photos_to_the_code(someone: Someone) -> None:
    ann = someone().make()
    code, image = ann.claim_code(), next(iter(ann.downloads().values()))
    ann.page.get_by_role("link", name="My photos").click()
    ann.sees("My photos")
    ann.press("Close on this browser")
    ann.reads("There is nothing of yours here.")
    assert ann.status_of(image) == 404
    ann.enter_code(code.lower().replace("-", " "))
    expect(ann.button("Open in the studio")).to_be_visible(timeout=PATIENCE)
    assert ann.status_of(image) == 200


def test_everything_is_erased_at_once(someone: Someone, backstage: Backstage) -> None:
    ann = someone().make()
    run = backstage.newest_run()
    ann.page.get_by_role("link", name="My photos").click()
    ann.reads("1 photo and 2 headshots")
    ann.press("Erase everything")
    ann.page.get_by_role("dialog").get_by_role("button", name="Erase 1 photo and 2 headshots").click()
    ann.press("Erase all of it now")
    expect(ann.page.locator(".ws-chip").filter(has_text=re.compile("^Eras(ed|ing)$"))).to_be_visible(timeout=PATIENCE)
    assert until(lambda: backstage.unproved(run.subject_id) == [])
    ann.press("Show proof")
    ann.sees("Erased")


def test_the_keyboard_alone_is_enough(someone: Someone) -> None:
    ann = someone()
    with ann.page.expect_file_chooser() as chooser:
        tab_to(ann, "button", "Upload")
        ann.page.keyboard.press("Enter")
    chooser.value.set_files({"name": "me.jpg", "mimeType": "image/jpeg", "buffer": portrait()})
    expect(ann.button("Generate headshots")).to_be_visible(timeout=PATIENCE)
    ann.settled()
    tab_to(ann, "radio", "Studio")
    ann.page.keyboard.press("ArrowRight")
    expect(ann.page.get_by_role("radio", name=re.compile("^Bright"))).to_be_checked()
    for start in ("This is my photo", "I am 18"):
        tab_to(ann, "checkbox", start)
        ann.page.keyboard.press("Space")
        expect(ann.page.get_by_role("checkbox", name=re.compile(f"^{start}"))).to_be_checked(timeout=PATIENCE)
    ann.settled()
    tab_to(ann, "button", "Generate headshots")
    ann.page.keyboard.press("Enter")
    ann.sees("Your headshots are ready")
    tab_to(ann, "link", "Download")
    with ann.page.expect_download() as download:
        ann.page.keyboard.press("Enter")
    assert image_size(download.value.path().read_bytes())


def tab_to(visitor: Visitor, role: str, name: str) -> None:
    """Press Tab until there; whoever has to press it a hundred times never arrives."""
    wanted = visitor.page.get_by_role(role, name=re.compile(f"^{name}")).first  # type: ignore[arg-type]
    expect(wanted).to_be_visible(timeout=PATIENCE)
    for _ in range(100):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        visitor.page.keyboard.press("Tab")
    raise AssertionError(f"no way to {role} {name}")


def test_a_server_that_dies_and_comes_back_is_found_again(
    chromium: Browser, tmp_path: Path, kill: Callable[..., None]
) -> None:
    def start(port: int | None = None):  # type: ignore[no-untyped-def]
        return serve(tmp_path / "server.log", page=APP, port=port, DATA_DIR=str(tmp_path / "data"))

    with start() as server, visiting(chromium, server) as ann:
        ann.open().make()
        image = next(iter(ann.downloads().values()))
        before = ann.body_of(image)
        kill(server)
        with start(server.port):
            assert ann.body_of(image) == before
            expect(ann.button("Make another from this photo")).to_be_enabled(timeout=PATIENCE)
            ann.press("Make another from this photo")  # the open page has found its way back by itself
            ann.sees("Another from the same photo")
            ann.open()
            ann.sees("Your headshots are ready")
            expect(ann.page.get_by_role("img", name="Headshot 1")).to_be_visible(timeout=PATIENCE)
