"""What this browser prefers: shown on My photos as it is, and what pages begin with."""

import json
import re
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core import operators
from core.contracts import Contract
from core.models import Role
from core.services import Services
from core.ui import app
from tests.conftest import ANN, BOB
from tests.pages.conftest import APP, Opened, Tab

PAGE = "pages/my_photos.py"
pytestmark = pytest.mark.sqlite_only("nothing of it is in any database")


def so_now(tab: Tab) -> dict[str, str]:
    """Which choice is pressed in each group."""
    pressed = re.findall(r"<button[^>]*aria-pressed=\"true\"[^>]*>", tab.drawn)
    return {re.search(r'name="(\w+)"', each)[1]: re.search(r'value="([^"]*)"', each)[1] for each in pressed}  # type: ignore[index]


def test_who_prefers_nothing_has_what_the_device_and_the_settings_have(opened: Opened) -> None:
    tab = opened(PAGE)
    assert so_now(tab) == {"language": "en", "theme": "-", "contract": "30d"}
    assert "There is nothing of yours here." in tab.text, "it works without photos"
    assert "They are kept in this browser alone" in tab.text


@pytest.mark.parametrize("nonsense", ["-.grey.24h", "", "de.dark", "-.-.-"])
def test_nonsense_prefers_nothing(opened: Opened, nonsense: str) -> None:
    assert so_now(opened(PAGE, preferences=nonsense)) == {"language": "en", "theme": "-", "contract": "30d"}


def test_what_is_preferred_is_pressed(opened: Opened) -> None:
    assert so_now(opened(PAGE, language="de", preferences="de.dark.24h")) == {
        "language": "de", "theme": "dark", "contract": "24h"
    }  # fmt: skip


def test_a_new_photo_begins_with_it(opened: Opened, draft: Callable[..., None]) -> None:
    draft()
    tab = opened(preferences="-.-.24h")
    (pills,) = [group for group in tab.at.button_group if group.key == "contract"]
    assert pills.value == "24h"


def test_it_is_never_longer_than_the_longest_that_is_offered(opened: Opened, limit_to: Callable[..., Services]) -> None:
    week = limit_to(longest_contract=Contract.WEEK)
    tab = opened(PAGE, preferences="-.-.30d", services=week)
    assert so_now(tab)["contract"] == "7d"
    assert 'value="30d"' not in tab.drawn


def test_the_switch_stands_at_the_foot(opened: Opened) -> None:
    foot = opened().drawn.rpartition('class="ws-languages"')
    assert '<input type="hidden" name="back" value="">' in foot[2]
    assert '<span lang="en" aria-current="true">' in foot[2]
    assert '<button type="submit" name="language" value="de" lang="de">Deutsch</button>' in foot[2]


def test_pages_for_operators_are_in_english_whatever_their_browsers_prefer(svc: Services) -> None:
    operators.open_link(svc, operators.make_link(svc, Role.FOUNDER).url.rpartition("/")[2], BOB)
    app.provide(svc)
    try:
        at = AppTest.from_file(APP, default_timeout=60)
        at.user = {"session": ANN, "staff": BOB, "counted": "no", "language": "de", "preferences": "de.-.-"}
        tab = Tab(at).run()
        assert tab.title == "Ein Headshot, der noch nach Ihnen aussieht"
        tab.go("pages/ops_audit.py").run()
        assert tab.title == "Audit"
        assert "ws-languages" not in tab.drawn
        assert language_told(at) == "en"
        assert language_told(tab.go("pages/guide.py").at) == "de"
    finally:
        app.provide(None)


def language_told(at: AppTest) -> str:
    """What the browser is told to speak."""
    (behaviour,) = [
        element.proto for element in at.get("bidi_component") if "behaviour" in element.proto.component_name
    ]
    return str(json.loads(behaviour.json)["language"])
