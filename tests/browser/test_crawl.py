"""
Probes from outside: every address that the app ever produces for somebody, tried by others, by HTTP and in a browser.

One person goes through everything. All addresses that their browser asked for, that pages hold, and that came over the
stream are collected, and at each station tried without a cookie and with another's: no face, ever. That the owner still
gets pictures from them shows that there was something to find.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image
from playwright.sync_api import WebSocket, expect

from tests.browser.studio import PATIENCE, Visitor, portrait, rocket
from tests.web.served import ROOT, Server

pytestmark = pytest.mark.browser

Someone = Callable[..., Visitor]
PAGES = ("/", "/my_photos", "/promises", "/guide", "/policy", "/checklist", "/check_image", "/check_receipt", "/report")
PRIVATE = re.compile(
    r"/(?:img|zip|before|preview|draft|export|receipt|handover|ops|media|_stcore/upload_file)/[\w./?=&%-]+"
)
SHIPPED = {"/pictures/": ROOT / "data" / "pictures", "/assets/": ROOT / "core" / "ui" / "assets"}
ATTRIBUTES = """
() => [...document.querySelectorAll("[href],[src],[action],[poster],[srcset]")].flatMap((node) =>
  ["href", "src", "action", "poster", "srcset"].map((name) => node.getAttribute(name)).filter(Boolean))
"""
BECOMES_A_PICTURE = """
(src) => new Promise((end) => {
  const image = new Image();
  image.onload = () => end(true);
  image.onerror = () => end(false);
  image.src = src;
})
"""


class Crawl:
    """What addresses one browser has come across, and who was given a picture by them."""

    def __init__(self, ann: Visitor) -> None:
        self._ann = ann
        self.paths: set[str] = set()
        self._shipped: set[str] = set()
        ann.context.on("request", lambda request: self._note(request.url))
        ann.page.on("websocket", self._listen)

    def _listen(self, stream: WebSocket) -> None:
        stream.on("framereceived", self._read)
        stream.on("framesent", self._read)

    def _read(self, frame: str | bytes) -> None:
        text = frame if isinstance(frame, str) else frame.decode("utf-8", "replace")
        for found in PRIVATE.findall(text):
            self._note(found)

    def _note(self, url: str) -> None:
        at = urlsplit(url)
        if at.path.startswith("/") and at.netloc in ("", self._ann.server.host):
            self.paths.add(at.path + (f"?{at.query}" if at.query else ""))

    def look_around(self) -> None:
        """What the page holds now, whether anybody asked for it or not."""
        for address in self._ann.page.evaluate(ATTRIBUTES):
            self._note(address)

    def own_pictures(self) -> set[str]:
        """Those that give their owner a picture of a person."""
        ask = self._ann.context.request.get
        return {path for path in self._worth_asking() if shows_somebody(path, ask(self._ann.server.url + path).body())}

    def _worth_asking(self) -> list[str]:
        """All but Streamlit's own front end, what only changes something, and what everybody gets with the app."""
        out = ("/static/", "/vendor/", "/_stcore/stream")
        return sorted(path for path in self.paths - self._shipped if not path.startswith(out))

    def shown_to(self, ask: Callable[[str], bytes]) -> list[str]:
        return [path for path in self._worth_asking() if shows_somebody(path, ask(path))]

    def know_what_is_shipped(self) -> None:
        """It was the same for everybody once, and does not change: it need not be asked for at each station."""
        self._shipped |= {path for path in self.paths if path.startswith(tuple(SHIPPED))}


def shows_somebody(path: str, body: bytes) -> bool:
    """A picture, or an archive that could hold one, other than those that everybody gets with the app."""
    for start, folder in SHIPPED.items():
        if path.startswith(start):
            return (folder / urlsplit(path).path.removeprefix(start)).read_bytes() != body
    if zipfile.is_zipfile(io.BytesIO(body)):
        return True
    try:
        Image.open(io.BytesIO(body)).verify()
    except Exception:
        return b"base64," in body and b"image/jpeg;base64" in body
    return "favicon" not in path


@pytest.fixture
def nobody(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def test_no_address_shows_a_face_to_anybody_else(someone: Someone, server: Server, nobody: httpx.Client) -> None:
    ann, bob = someone(), someone()
    crawl = Crawl(ann)
    seen: dict[str, set[str]] = {}

    def station(name: str) -> None:
        ann.settled()
        crawl.look_around()
        seen[name] = crawl.own_pictures()
        others = {
            "without a cookie": lambda path: nobody.get(path).content,
            "with another's, by HTTP": lambda path: bob.context.request.get(server.url + path).body(),
        }
        for who, ask in others.items():
            assert crawl.shown_to(ask) == [], f"{name}, {who}"
        crawl.know_what_is_shipped()

    ann.open().add(portrait(900))
    ann.choose_picture("Backdrop", "Your own")
    ann.choose_file(rocket(), "wall.jpg", label="Your backdrop")
    expect(ann.page.get_by_role("img", name="Your backdrop")).to_be_visible(timeout=PATIENCE)
    station("before it is stored")
    ann.agree()
    ann.generate()
    ann.sees("Your headshots are ready")
    station("ready")
    in_a_browser(bob, seen["ready"])
    ann.open("/my_photos")
    ann.press("Get a copy of my data")
    ann.page.get_by_role("dialog").get_by_role("button", name="Pack it now").click()
    expect(ann.page.get_by_role("link", name=re.compile("^Download my data"))).to_be_visible(timeout=PATIENCE)
    station("packed")
    for page in PAGES:
        ann.open(page)
        crawl.look_around()
    station("everywhere")
    ann.open("/my_photos")
    ann.erase_this()
    assert all(seen.values()), "there was something to find at each station"
    assert {path.split("/")[1] for path in set().union(*seen.values())} >= {"draft", "img", "zip", "export", "before"}
    gone = set().union(*seen.values()) - crawl.own_pictures()
    assert gone, "and after the end less of it, for its owner too"


def in_a_browser(bob: Visitor, pictures: set[str]) -> None:
    """The same addresses as a page would load them: not one of them becomes a picture."""
    bob.open()
    assert [path for path in sorted(pictures) if bob.page.evaluate(BECOMES_A_PICTURE, path)] == []


def test_an_upload_is_nobody_elses_to_fetch_replace_or_remove(someone: Someone, server: Server) -> None:
    ann, bob = someone(), someone()
    crawl = Crawl(ann)
    ann.open().add(portrait(900))
    uploads = [path for path in crawl.paths if path.startswith("/_stcore/upload_file/")]
    assert uploads
    for path in uploads:
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            answers = bob.context.request.fetch(server.url + path, method=method)
            assert answers.status in (403, 404), f"{method} with another's cookie"
            assert server.client().request(method, path).status_code in (403, 404), f"{method} without one"
