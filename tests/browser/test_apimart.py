"""A third party makes the headshots, before a stand-in of it: chosen by name, listed while it holds anything, and asked
of once where it cannot be known whether it took it."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from core.models import ProviderCopy, ProviderTask, ProviderTaskState
from tests.browser import backstage as curtain
from tests.browser.backstage import Backstage
from tests.browser.studio import DESK, PATIENCE, PHONE, Visitor, portrait, visiting
from tests.browser.test_looks import looked_at
from tests.peers.apimart import ApiMart
from tests.peers.apimart.faults import DROPPED
from tests.peers.apimart_app import studio
from tests.web.served import Server, until

pytestmark = pytest.mark.browser

Someone = Callable[..., Visitor]
SEND = "Send to APIMart and generate"
STREAMLITS_OWN = re.compile("status of 404")  # asked for beside a page that was opened by its address
SIZES = {"desk-light": {**DESK, "color_scheme": "light"}, "phone-dark": {**PHONE, "color_scheme": "dark"}}


@pytest.fixture(scope="module")
def api() -> Iterator[ApiMart]:
    with ApiMart() as running:
        running.knobs.takes = 1
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("apimart")


@pytest.fixture(scope="module")
def server(api: ApiMart, folder: Path) -> Iterator[Server]:
    with studio(api, folder) as up:
        yield up


@pytest.fixture(scope="module")
def backstage(server: Server, folder: Path) -> Iterator[Backstage]:
    with Backstage(folder / "data") as open_curtain:
        yield open_curtain


@pytest.fixture
def someone(chromium: Browser, server: Server) -> Iterator[Someone]:
    with ExitStack() as browsers:
        yield lambda **how: browsers.enter_context(visiting(chromium, server, **how)).open()


def choose_apimart(visitor: Visitor) -> None:
    """Anywhere on its card."""
    visitor.page.locator(".ws-maker").filter(has_text="APIMart").click()
    expect(visitor.page.get_by_role("radio", name="APIMart")).to_be_checked()
    expect(visitor.button(SEND)).to_be_visible(timeout=PATIENCE)
    visitor.settled()


def write(visitor: Visitor, note: str) -> None:
    visitor.page.get_by_role("textbox", name="A note for APIMart").fill(note)
    visitor.page.keyboard.press("Tab")
    visitor.settled()


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_chosen_by_name_made_there_and_listed_until_it_is_gone(
    someone: Someone, api: ApiMart, backstage: Backstage, size: dict[str, Any]
) -> None:
    before = len(api.submissions)
    ann = someone(**size)
    ann.reads("or by APIMart. Nothing is sent to APIMart unless you choose it")
    ann.add(portrait())
    expect(ann.page.get_by_role("radio", name="On this server")).to_be_checked()
    choose_apimart(ann)
    ann.reads("This sends your photo to APIMart. What lies there is not ours to erase")
    write(ann, "Make me look like Taylor Swift")
    ann.agree()
    ann.press(SEND)
    ann.reads("It stays you: we cannot make you look like anybody else.")
    looked_at(ann, "composing for APIMart")
    assert len(api.submissions) == before and not backstage.objects()
    write(ann, "A plain dark jacket")
    ann.press(SEND)
    ann.sees("Making your headshots")
    ann.reads("APIMart is making it")
    ann.sees("Your headshots are ready")
    ann.reads("Drawn by AI at APIMart from your photo")
    ann.reads("2 at APIMart until")
    looked_at(ann, "ready")
    assert [submission.prompt.count("A plain dark jacket") for submission in api.submissions[before:]] == [1, 1]
    for name, address in ann.downloads().items():
        assert ann.status_of(address) == 200, name
    expect(ann.page.get_by_role("img", name="Headshot 1")).to_be_visible()

    ann.open("/my_photos")
    ann.reads("1 photo and 2 headshots, and 2 copies elsewhere")
    looked_at(ann, "my photos")
    ann.open()
    ann.press("Erase now")
    ann.reads("2 copies at APIMart are not ours to erase: there until")
    ann.page.keyboard.press("Escape")
    ann.erase_this()
    ann.sees("Erased")
    ann.reads("2 at APIMart until")
    ann.reads("Not ours to erase: they end by themselves, and we look until they are gone.")
    looked_at(ann, "erased here")
    assert until(lambda: not backstage.objects())
    run = backstage.newest_run()
    noted = [copy for copy in backstage.rows(ProviderCopy) if copy.generation_id == run.id]
    assert len(noted) == len(api.submissions) - before == 2 and all(copy.gone_at is None for copy in noted)
    assert ann.foreign == [] and [line for line in ann.complaints if not STREAMLITS_OWN.search(line)] == []


def test_what_may_have_been_taken_is_asked_for_again_only_by_the_person(
    someone: Someone, api: ApiMart, backstage: Backstage
) -> None:
    """The stand-in takes it and its answer is lost."""
    ann = someone().add()
    choose_apimart(ann)
    ann.choose("1")
    ann.agree()
    before = len(api.submissions)
    api.queue("submit", DROPPED)
    ann.press(SEND)
    ann.sees("We do not know")
    ann.reads("We do not know whether APIMart took it.")
    ann.reads("This run does not count towards today's.")
    looked_at(ann, "unknown")
    run = backstage.newest_run()
    (task,) = [task for task in backstage.rows(ProviderTask) if task.generation_id == run.id]
    assert task.state is ProviderTaskState.UNKNOWN and len(api.submissions) == before + 1
    ann.press("Try again with APIMart")
    ann.sees("Your headshot is ready")
    assert backstage.newest_run().id != run.id and len(api.submissions) == before + 2


def test_one_that_is_closed_is_never_switched_silently(someone: Someone, api: ApiMart, backstage: Backstage) -> None:
    ann = someone(**SIZES["phone-dark"]).add()
    choose_apimart(ann)
    before = len(api.submissions)
    closed = sa.table("provider_health", sa.column("provider"), sa.column("failures"), sa.column("closed_until"))
    later = curtain.now().replace(tzinfo=None, year=curtain.now().year + 1)
    with backstage.changing() as rows:
        rows.execute(sa.delete(closed))
        rows.execute(sa.insert(closed).values(provider="apimart", failures=5, closed_until=later))
    ann.choose("1")
    ann.reads("APIMart is not answering just now.")
    expect(ann.page.get_by_role("radio", name="APIMart")).to_be_checked()
    expect(ann.page.get_by_role("radio", name="APIMart")).to_be_disabled()
    expect(ann.button(SEND)).to_be_disabled()
    looked_at(ann, "closed")
    ann.press("Make it on this server instead")
    expect(ann.button("Generate headshots")).to_be_enabled(timeout=PATIENCE)
    expect(ann.page.get_by_role("radio", name="On this server")).to_be_checked()
    assert len(api.submissions) == before
