"""The tester's pages on services that work in memory, driven without a browser."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import intake
from core.drafts import DraftKind
from core.models import Generation
from core.services import Services
from core.ui import app, widgets
from tests.conftest import ANN
from tests.fakes import jpeg
from tests.web.served import ROOT

APP = str(ROOT / "streamlit_app.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.by_turns("what a page asks is asked of both databases where it is answered"))


@dataclass
class Tab:
    """A page as a person reads it."""

    at: AppTest

    def run(self) -> "Tab":
        self.at.run()
        assert not self.at.exception, [shown.message for shown in self.at.exception]
        return self

    def go(self, page: str) -> "Tab":
        self.at.switch_page(page)
        return self.run()

    def press(self, label: str) -> "Tab":
        self.button(label).click()
        return self.run()

    def button(self, label: str):  # type: ignore[no-untyped-def]
        (found,) = [button for button in self.at.button if button.label == label]
        return found

    @property
    def labels(self) -> list[str]:
        return [button.label for button in self.at.button]

    @property
    def drawn(self) -> str:
        """All HTML of ours, but for the looks."""
        bodies = [element.proto.body for element in self.at.get("html")]
        return "\n".join(body for body in bodies if "<style>" not in body)

    @property
    def text(self) -> str:
        """All that can be read, in one line."""
        plain = html.unescape(re.sub(r"<[^>]+>", " ", self.drawn))
        others = [element.value for kind in ("caption", "markdown", "subheader") for element in self.at.get(kind)]
        return " ".join(" ".join([plain, *others]).split())

    @property
    def title(self) -> str:
        found = re.search("<h1>(.*?)</h1>", self.drawn)
        return html.unescape(found.group(1)) if found else ""

    def agree(self) -> "Tab":
        for box in self.at.checkbox:
            box.check()
        return self


Opened = Callable[..., Tab]


@pytest.fixture
def opened(svc: Services) -> Iterator[Opened]:
    """The app as one browser sees it."""

    def look(
        page: str | None = None,
        *,
        who: str | None = ANN,
        services: Services = svc,
        counted: str | None = "yes",
        language: str = "en",
        preferences: str = "-.-.-",
    ) -> Tab:
        app.provide(services)
        at = AppTest.from_file(APP, default_timeout=60)
        if who:
            at.user = {"session": who, "counted": counted, "language": language, "preferences": preferences}
        tab = Tab(at).run()
        return tab.go(page) if page else tab

    yield look
    app.provide(None)


@pytest.fixture
def time_left(svc: Services) -> Callable[[str], str]:
    """What a run's clock says now."""

    def said(run_id: str) -> str:
        with svc.reading() as reading:
            return f"{widgets.length(reading.get_one(Generation, run_id).erase_by - svc.clock())} left"

    return said


@pytest.fixture
def draft(svc: Services) -> Callable[..., None]:
    """Someone has added a photo."""

    def put(data: bytes | None = None, *, who: str = ANN) -> None:
        svc.drafts.put(who, DraftKind.PORTRAIT, intake.read(data or jpeg(800, 1000)))

    return put
