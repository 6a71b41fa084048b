"""My photos in Chromium, where one asks: the ZIP, the two minutes, the receipt; phone and desk, dark and light."""

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from core import receipts
from core.models import Copy, Receipt, Request, RequestOutcome
from tests.browser.backstage import Backstage
from tests.browser.studio import PATIENCE, PHONE, Visitor, portrait
from tests.browser.test_looks import looked_at
from tests.web.served import until

pytestmark = pytest.mark.browser

Someone = Callable[..., Visitor]


def test_a_copy_of_everything_and_then_the_end_of_it(someone: Someone, backstage: Backstage) -> None:
    ann = someone(**PHONE, color_scheme="dark")
    ann.make(portrait(900))
    run = backstage.newest_run()
    assert backstage.copies_of(run.subject_id)[0].original_hash, "of the file as it was uploaded"
    ann.open("/my_photos")
    gets_a_copy(ann)
    starts_erasing(ann)
    takes_it_back(ann)
    starts_erasing(ann)
    ann.press("Erase all of it now")
    gets_a_receipt(ann, backstage)
    assert until(lambda: backstage.unproved(run.subject_id) == [])
    assert all(copy.original_hash is None for copy in backstage.copies_of(run.subject_id))
    assert ann.status_of(f"/export/{exported(backstage, run.subject_id).id}") == 404
    assert ann.foreign == []


def gets_a_copy(ann: Visitor) -> None:
    ann.press("Get a copy of my data")
    dialog = ann.page.get_by_role("dialog")
    expect(dialog).to_be_visible(timeout=PATIENCE)
    looked_at(ann, "the question before packing")
    dialog.get_by_role("button", name="Pack it now").click()
    expect(dialog).to_be_hidden(timeout=PATIENCE)
    with zipfile.ZipFile(io.BytesIO(ann.downloaded("Download my data"))) as archive:
        data = json.loads(archive.read("data.json"))
        assert len([name for name in archive.namelist() if name.startswith("images/")]) == 3
    assert data["form"] == "workshot copy of data 1"
    looked_at(ann, "packed")


def starts_erasing(ann: Visitor) -> None:
    ann.press("Erase everything")
    dialog = ann.page.get_by_role("dialog")
    expect(dialog).to_be_visible(timeout=PATIENCE)
    dialog.get_by_role("button", name="Erase 1 photo and 2 headshots").click()
    expect(dialog).to_be_hidden(timeout=PATIENCE)
    clock = ann.page.locator("time[data-ws-clock=undo]")
    expect(clock).to_contain_text(re.compile(r"1 min \d+ s left to take it back"), timeout=PATIENCE)
    before = clock.inner_text()
    expect(clock).not_to_have_text(before, timeout=5_000)
    looked_at(ann, "about to begin")


def takes_it_back(ann: Visitor) -> None:
    """By keyboard."""
    ann.button("Take it back").focus()
    ann.page.keyboard.press("Enter")
    ann.reads("You took it back in time. Nothing was erased.")
    expect(ann.button("Open in the studio")).to_be_visible()


def gets_a_receipt(ann: Visitor, backstage: Backstage) -> None:
    ann.reads("Everything there was is erased, and storage has shown that it is gone.")
    looked_at(ann, "erased")
    document = ann.downloaded("Download receipt")
    keys = json.loads(ann.body_of("/receipt-key"))["keys"]
    known = {key["key_id"]: base64.b64decode(key["public_key"]) for key in keys}
    assert receipts.verify(document, public_keys=known).well
    assert RequestOutcome.DONE in {request.outcome for request in backstage.rows(Request)}
    assert backstage.rows(Receipt)


def exported(backstage: Backstage, subject_id: str) -> Copy:
    return next(copy for copy in backstage.copies_of(subject_id) if copy.kind.value == "export")
