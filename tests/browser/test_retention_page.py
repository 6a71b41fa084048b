"""The retention page in Chromium: drawn, within the window, open to everybody who signs in, and nothing refused."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session

from core.db import connect
from core.models import Copy, CopyKind, Subject, new_id
from tests.browser.backstage import now
from tests.browser.conftest import APP
from tests.browser.studio import DESK, PATIENCE, PHONE, settled
from tests.browser.test_looks import violations
from tests.browser.test_operators import browser_of, made_link
from tests.web.served import Server, free_port, serve

pytestmark = pytest.mark.browser

LATE, TO_COME = 12, 40


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server that runs no jobs, with copies that are late and copies that go later."""
    folder, port = tmp_path_factory.mktemp("retention"), free_port()
    data = folder / "data"
    with serve(
        folder / "server.log",
        page=APP,
        port=port,
        DATA_DIR=str(data),
        WORKER="external",
        PUBLIC_URL=f"http://localhost:{port}",
    ) as server:
        keep(data)
        yield server, data


def keep(data: Path) -> None:
    """Rows without objects: for a page that shows no pictures they are as good."""
    database, at = connect(f"sqlite:///{data / 'workshot.db'}"), now()
    with Session(database) as session:
        subject = Subject(id=new_id(), created_at=at, sealed_key=b"k")
        session.add(subject)
        session.flush()
        for number in range(-LATE, TO_COME):
            session.add(
                Copy(
                    subject_id=subject.id,
                    kind=CopyKind.HEADSHOT,
                    place="vault",
                    object_key=new_id(),
                    media_type="image/jpeg",
                    width=1,
                    height=1,
                    size=1000,
                    created_at=at - timedelta(days=1),
                    written_at=at - timedelta(days=1),
                    erase_by=at + (timedelta(minutes=20 * number - 20) if number < 0 else timedelta(hours=9 * number)),
                )
            )
        session.commit()
    database.dispose()


def signed_in(page: Page, server: Server, data: Path) -> None:
    page.goto(made_link(server, data))
    page.get_by_role("button", name="Sign in").click()
    page.goto(server.url + "/ops_retention")
    expect(page.get_by_text("Download CSV")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".js-plotly-plot .bars .point").first).to_be_visible(timeout=PATIENCE)
    settled(page)


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
def test_it_is_drawn_and_shuts_nobody_out(
    chromium: Browser, house: tuple[Server, Path], size: Mapping[str, Any], scheme: str
) -> None:
    refused: list[str] = []
    with browser_of(chromium) as page:
        page.set_viewport_size(size["viewport"])
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
        signed_in(page, *house)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"]
        assert violations(page) == []
        assert refused == []
        assert page.locator("main img").count() == 0


def test_many_are_erased_by_a_typed_word_and_each_says_what_came_of_it(
    chromium: Browser, house: tuple[Server, Path]
) -> None:
    with browser_of(chromium) as page:
        signed_in(page, *house)
        link = page.get_by_role("link", name="Download CSV").get_attribute("href")
        assert len(page.context.request.get(f"{house[0].url}{link}").text().splitlines()) == 1 + LATE
        page.get_by_role("button", name=f"Erase all {LATE}").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("textbox").fill("erase")
        dialog.get_by_role("button", name=f"Erase {LATE} copies").click()
        expect(page.get_by_text(f"{LATE} items: all done.")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("every clock kept")).to_be_visible(timeout=PATIENCE)
