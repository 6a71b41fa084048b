"""The real app in a process of its own, Chromium before it, and a look behind the curtain."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.backstage import Backstage
from tests.browser.studio import Visitor, launched, visiting
from tests.web.served import ROOT, Server, serve

expect.set_options(timeout=45_000)  # the machine may be busy: what is waited for is always something visible

APP = ROOT / "streamlit_app.py"


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studio") / "data"


@pytest.fixture(scope="package")
def server(data_dir: Path) -> Iterator[Server]:
    """On its defaults, but for an allowance that many tests can share."""
    with serve(data_dir.parent / "server.log", page=APP, DATA_DIR=str(data_dir), RUNS_PER_NETWORK_PER_DAY="500") as up:
        yield up


@pytest.fixture(scope="package")
def backstage(server: Server, data_dir: Path) -> Iterator[Backstage]:
    with Backstage(data_dir) as open_curtain:
        yield open_curtain


@pytest.fixture
def someone(chromium: Browser, server: Server) -> Iterator[Callable[..., Visitor]]:
    """A browser of one's own, on the studio page; as many as a test wants."""
    with ExitStack() as browsers:

        def comes(*, to: Server = server, **how: Any) -> Visitor:
            return browsers.enter_context(visiting(chromium, to, **how)).open()

        yield comes


@pytest.fixture
def kill() -> Callable[[Server], None]:
    return lambda server: os.kill(server.pid, signal.SIGKILL)
