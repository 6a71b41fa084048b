"""The desk in Chromium: drawn for everybody, timers that tick, keys that type nothing, an erase watched to its end."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from core import bootstrap, copies, operators, receipts, requests
from core.models import CopyKind, Generation, Request, RequestKind, RequestState, Role, RunState, Subject, new_id
from core.requests import Ticket
from core.services import Services
from core.settings import load_settings
from tests.browser.backstage import now
from tests.browser.conftest import APP
from tests.browser.studio import DESK, PATIENCE, PHONE, settled, unfold
from tests.browser.test_looks import violations
from tests.browser.test_operators import browser_of
from tests.web.served import Server, free_port, serve

pytestmark = pytest.mark.browser

SOMEBODY = "operator:0a1b2c3d"
COUNTS = re.compile(r"(?:(\d+) d )?(?:(\d+) h )?(?:(\d+) m )?(\d+) s")


@dataclass(frozen=True)
class House:
    server: Server
    data: Path
    svc: Services

    def enter(self, *, hours: float, kind: RequestKind = RequestKind.ERASE) -> Ticket:
        """A request that was received so long ago."""
        received_at = now() - timedelta(hours=hours)
        words, address = "Please erase me.", "ann@example.org"
        entered = requests.open_by_hand(
            self.svc, kind=kind, received_at=received_at, actor=SOMEBODY, address=address, words=words
        )
        return requests.assign(self.svc, entered.id, None, SOMEBODY)

    def person(self) -> str:
        """The number of their run. Rows without objects: for a page that shows no pictures they are as good."""
        subject_id, at, number = new_id(), now() - timedelta(hours=1), f"W-{new_id()[:6]}".upper()
        with self.svc.transaction() as session:
            session.add(Subject(id=subject_id, created_at=at, sealed_key=self.svc.vault.make_key(subject_id)))
            session.flush()
            keep = {"subject_id": subject_id, "width": 1, "height": 1, "at": at, "erase_by": at + timedelta(days=9)}
            portrait = copies.plan(session, kind=CopyKind.PORTRAIT, size=812_345, **keep)
            headshots = [copies.plan(session, kind=CopyKind.HEADSHOT, size=240_000, **keep) for _ in range(3)]
            for copy in (portrait, *headshots):
                copy.written_at = at
            session.flush()
            session.add(
                Generation(
                    number=number,
                    request_id=new_id(),
                    subject_id=subject_id,
                    portrait_id=portrait.id,
                    engine="on_device",
                    purpose="linkedin",
                    ratio="1:1",
                    long_side=1200,
                    style="soft",
                    backdrop="grey",
                    variants=3,
                    contract="30d",
                    uploaded_at=at,
                    erase_by=at + timedelta(days=9),
                    created_at=at,
                    ended_at=at,
                    state=RunState.READY,
                )
            )
        return number

    def state_of(self, ticket: Ticket) -> RequestState:
        with self.svc.reading() as session:
            return session.get_one(Request, ticket.id).state


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder, port = tmp_path_factory.mktemp("desk"), free_port()
    data = folder / "data"
    environment = {"PUBLIC_URL": f"http://localhost:{port}", "MAIL_FROM": "desk@example.org"}
    with serve(folder / "server.log", page=APP, port=port, DATA_DIR=str(data), **environment) as server:
        house = House(server, data, bootstrap.build(load_settings(data_dir=data)))
        for hours in (50.235, 45, 30, 3):
            house.enter(hours=hours)
        house.enter(hours=24 * 20, kind=RequestKind.QUESTION)
        yield house


@contextmanager
def desk(chromium: Browser, house: House, *, size: Mapping[str, Any] = DESK, scheme: str = "light") -> Iterator[Page]:
    with browser_of(chromium) as page:
        page.set_viewport_size(size["viewport"])
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        sign_in(page, house)
        expect(rows(page).first).to_be_visible(timeout=PATIENCE)
        yield page


def sign_in(page: Page, house: House) -> None:
    door = operators.make_link(house.svc, Role.SUPPORT).url.rpartition("/staff/")[2]
    page.goto(f"{house.server.url}/staff/{door}")
    page.get_by_role("button", name="Sign in").click()
    page.goto(house.server.url + "/ops_deletions")


def rows(page: Page) -> Any:
    return page.locator(".ws-work-row")


def is_open(page: Page, number: str) -> None:
    expect(page.get_by_role("heading", name=number)).to_be_visible(timeout=PATIENCE)
    settled(page)


def seconds(said: str) -> int:
    found = COUNTS.search(said)
    assert found, said
    return sum(int(part or 0) * size for part, size in zip(found.groups(), (86400, 3600, 60, 1), strict=True))


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
def test_it_is_drawn_and_shuts_nobody_out(
    chromium: Browser, house: House, size: Mapping[str, Any], scheme: str
) -> None:
    refused: list[str] = []
    with desk(chromium, house, size=size, scheme=scheme) as page:
        page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
        page.reload()
        expect(rows(page).first).to_be_visible(timeout=PATIENCE)
        assert violations(page) == []
        rows(page).first.get_by_role("button").click()
        expect(page.get_by_text("What was written")).to_be_visible(timeout=PATIENCE)
        settled(page)
        unfold(page, "Write to the requester")
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_role("button", name="Send this letter")).to_be_visible(timeout=PATIENCE)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"]
        assert violations(page) == []
        assert refused == []
        assert page.locator("main img").count() == 0


def test_timers_tick_to_the_second_by_the_servers_clock(chromium: Browser, house: House) -> None:
    """In a browser whose own clock is three hours ahead, and without a word from the server."""
    with browser_of(chromium) as page:
        page.clock.install(time=now() + timedelta(hours=3))
        sign_in(page, house)
        timer = rows(page).filter(has_text="on track").first.locator("time strong")
        expect(timer).to_contain_text(re.compile("^17 h 5\\d m"), timeout=PATIENCE)
        page.context.set_offline(True)
        before = seconds(timer.inner_text())
        page.clock.run_for(90_000)
        assert 88 <= before - seconds(timer.inner_text()) <= 95


def test_a_clock_that_runs_out_says_so_while_one_looks(chromium: Browser, house: House) -> None:
    ticket = house.enter(hours=48 - 12 / 3600)
    with desk(chromium, house) as page:
        row = rows(page).filter(has_text=ticket.number)
        expect(row).to_contain_text(re.compile("overdue by \\d+ s.*breached"), timeout=PATIENCE)
        expect(row.locator(".ws-icon-alert")).to_be_visible()


def test_keys_move_open_search_and_ask_and_never_type(chromium: Browser, house: House) -> None:
    number = house.person()
    ready = house.enter(hours=47)
    requests.match_run(house.svc, ready.id, run_number=number, about_when=now() - timedelta(hours=1), actor=SOMEBODY)
    with desk(chromium, house) as page:
        focused = page.locator(".ws-work-open:focus")
        page.keyboard.press("j")
        expect(focused).to_have_text(rows(page).nth(0).get_by_role("button").inner_text())
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("j")
        second = rows(page).nth(1).get_by_role("button").inner_text()
        expect(focused).to_have_text(second)
        page.keyboard.press("Enter")
        is_open(page, second)
        page.keyboard.press("/")
        page.keyboard.type(f"je?{ready.number}")
        expect(page.get_by_label("Number", exact=True)).to_have_value(f"je?{ready.number}")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.get_by_label("Number", exact=True).fill(ready.number)
        page.keyboard.press("Enter")
        expect(rows(page)).to_have_count(1, timeout=PATIENCE)
        page.get_by_role("heading", name="Desk").click()
        page.keyboard.press("j")
        page.keyboard.press("e")
        expect(page.get_by_role("dialog")).to_contain_text("1 photo and 3 headshots", timeout=PATIENCE)
        assert house.state_of(ready) is RequestState.UNDO
        page.get_by_role("button", name="Keep everything").click()
        expect(page.get_by_role("dialog")).to_have_count(0, timeout=PATIENCE)
        page.keyboard.press("?")
        off = page.get_by_label("Keys are on in this browser")
        expect(off).to_be_visible()
        off.uncheck()
        page.get_by_role("heading", name="Desk").click()
        page.keyboard.press("e")
        page.wait_for_timeout(500)
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_on_a_phone_a_request_takes_the_place_of_the_list(chromium: Browser, house: House) -> None:
    with desk(chromium, house, size=PHONE) as page:
        first = rows(page).first.get_by_role("button")
        number = first.inner_text()
        first.click()
        is_open(page, number)
        expect(rows(page).first).to_be_hidden()
        page.get_by_role("button", name="Back to the list").click()
        expect(rows(page).first).to_be_visible(timeout=PATIENCE)


def test_an_erase_is_watched_to_its_proof_without_a_reload(chromium: Browser, house: House) -> None:
    number, ticket = house.person(), house.enter(hours=20)
    with desk(chromium, house) as page:
        page.goto(f"{house.server.url}/ops_deletions?request={ticket.number}")
        is_open(page, ticket.number)
        page.get_by_role("radio", name="A run and its time").click()
        expect(page.get_by_text("never enough to hand anything over")).to_be_visible(timeout=PATIENCE)
        requests.match_run(
            house.svc, ticket.id, run_number=number, about_when=now() - timedelta(hours=1), actor=SOMEBODY
        )
        page.get_by_role("button", name="Erase and prove", exact=True).click(timeout=PATIENCE)  # it came by itself
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("textbox").fill("erase")
        dialog.get_by_role("button", name="Erase 1 photo and 3 headshots").click()
        link = page.get_by_role("link", name="Download receipt")
        expect(link).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("Ended").locator("..")).to_contain_text("done")
        receipt = page.context.request.get(f"{house.server.url}{link.get_attribute('href')}").body()
        assert receipts.verify(receipt, public_keys=house.svc.signer.public_keys).well
        assert "ann@example.org" not in page.content()
        table = page.context.request.get(f"{house.server.url}/ops/requests.csv?states=closed").text()
        assert ticket.number in table
