"""The usage page in Chromium, with a demo: within the window, open to everybody, and taken along as a picture."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import APP
from tests.browser.studio import DESK, PATIENCE, PHONE, settled, unfold
from tests.browser.test_looks import violations
from tests.browser.test_operators import browser_of, made_link
from tests.web.served import ROOT, Server, free_port, serve

pytestmark = pytest.mark.browser
House = tuple[Server, Path]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server that runs no jobs, with a small demo."""
    folder, port = tmp_path_factory.mktemp("usage"), free_port()
    data, public = folder / "data", f"http://localhost:{port}"
    with serve(
        folder / "server.log", page=APP, port=port, DATA_DIR=str(data), WORKER="external", PUBLIC_URL=public
    ) as server:
        subprocess.run(
            [sys.executable, "-m", "core", "demo", "--days", "70", "--subjects", "400"],
            cwd=ROOT,
            env={**os.environ, "DATA_DIR": str(data)},
            check=True,
            capture_output=True,
        )
        yield server, data


def signed_in(page: Page, server: Server, data: Path, question: str) -> None:
    page.goto(made_link(server, data, "founder"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_test_id("stTopNavLink").or_(page.get_by_role("heading", level=1)).first).to_be_visible()
    page.goto(f"{server.url}/ops_usage?show={question}")
    expect(page.get_by_text("Demo data, not what happened here.")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_attached(timeout=PATIENCE)
    settled(page)


@pytest.mark.parametrize(
    ("size", "scheme", "question"),
    [(DESK, "light", "succeed"), (PHONE, "dark", "succeed"), (DESK, "dark", "choices"), (PHONE, "light", "promises")],
    ids=["desk light", "phone dark", "desk dark", "phone light"],
)
def test_it_is_drawn_and_shuts_nobody_out(
    chromium: Browser, house: House, size: Mapping[str, Any], scheme: str, question: str
) -> None:
    refused: list[str] = []
    with browser_of(chromium) as page:
        page.set_viewport_size(size["viewport"])
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
        signed_in(page, *house, question)
        unfold(page, "As a table")
        expect(page.get_by_role("table").first).to_be_visible(timeout=PATIENCE)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"]
        assert violations(page) == []
        assert refused == []


def test_a_chart_is_taken_along_as_a_picture_with_its_title(chromium: Browser, house: House, tmp_path: Path) -> None:
    with browser_of(chromium) as page:
        signed_in(page, *house, "choices")
        with page.expect_download(timeout=PATIENCE) as taken:
            page.get_by_role("button", name="Download Styles as PNG").click()
        assert taken.value.suggested_filename.startswith("workshot-usage-styles-20")
        path = tmp_path / "styles.png"
        taken.value.save_as(path)
        with Image.open(path) as picture:
            assert picture.size[0] == 1920
        expect(page.get_by_role("status").filter(has_text="saved as a picture")).to_have_count(1)
        csv = page.get_by_role("link", name="Download Styles as CSV").get_attribute("href")
        assert page.context.request.get(f"{house[0].url}{csv}").text().startswith("style,runs,%")
