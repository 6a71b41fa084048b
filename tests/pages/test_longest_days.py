"""LONGEST_DAYS on the pages: the contract that is cut short is called, chosen and printed as what it is."""

from collections.abc import Callable

import pytest

from core.services import Services
from tests.pages.conftest import Opened

pytestmark = pytest.mark.sqlite_only("pages print what settings say")


@pytest.fixture
def fourteen(limit_to: Callable[..., Services]) -> Services:
    return limit_to(longest_days=14, erase_early_hours=24)


def test_the_studio_says_and_offers_fourteen_days(
    opened: Opened, fourteen: Services, draft: Callable[..., None]
) -> None:
    assert "after 14 days at the latest" in opened(services=fourteen).text
    draft()
    tab = opened(services=fourteen)
    (stay,) = [group for group in tab.at.get("button_group") if group.label == "How long may it stay?"]
    assert [option.content for option in stay.proto.options][-1] == "14 days"
    assert "13 d" in tab.text, "the longest is chosen, and a day early it ends"
    assert "30 days" not in tab.text


@pytest.mark.parametrize("page", ["pages/guide.py", "pages/policy.py", "pages/promises.py"])
def test_and_so_do_the_pages_that_tell_of_it(opened: Opened, fourteen: Services, page: str) -> None:
    tab = opened(page, services=fourteen)
    assert "at most 14 days after" in tab.text
    assert "at most 30 days after" not in tab.text
