from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.web.served import Server, serve

expect.set_options(timeout=45_000)  # the machine may be busy: what is waited for is always something visible


@pytest.fixture(scope="package")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("web")


@pytest.fixture(scope="package")
def server(logs: Path) -> Iterator[Server]:
    with serve(logs / "streamlit.log") as running:
        yield running


@pytest.fixture(scope="package")
def secure_server(logs: Path) -> Iterator[Server]:
    """As if behind a proxy that speaks https."""
    with serve(logs / "secure.log", MINI_SECURE="1") as running:
        yield running


@pytest.fixture(scope="package")
def uvicorn_server(logs: Path) -> Iterator[Server]:
    with serve(logs / "uvicorn.log", uvicorn=True) as running:
        yield running


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )
        yield browser
        browser.close()
