"""
A person before the page, as tests and the tour drive it: what one sees, clicks and reads, and nothing of the inside.

`Visitor` also keeps book of what its browser asked for and complained about.
"""

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, Request, expect
from skimage import data

from tests import hostile
from tests.web.served import Server

PATIENCE = 45_000
"""ms. The machine may be busy with many other things; what is waited for is always something visible."""

DESK: Mapping[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: Mapping[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SIZES = {"desk": DESK, "phone": PHONE}

NEIGHBOUR = "studio.local"
"""A name that is this machine and does not look like it, as for whoever comes from another one of the same network."""

PICTURES = re.compile(r"/(img|zip|before|preview|draft)/")
# Streamlit's own: long.js inside it tries WebAssembly as it loads, and does without.
KNOWN_NOISE = re.compile(r"wasm|WebAssembly", re.IGNORECASE)
UNFOLDED = """() => {
  const open = [...document.querySelectorAll("details[open]")];
  const before = window.unfolded, now = open.map((one) => one.clientHeight).join();
  window.unfolded = now;
  return now !== "" && now === before && open.every((one) => one.getAnimations().length === 0);
}"""
NOTE_REFUSALS = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => {
  if (event.blockedURI !== "wasm-eval") window.refused.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


@cache
def portrait(side: int = 1000) -> bytes:
    """NASA's Eileen Collins as a phone would have stored her: with a position and a camera's serial number."""
    pixels = cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_CUBIC)
    return hostile.encoded(Image.fromarray(pixels), "JPEG", quality=92, exif=hostile.exif(1))


@cache
def bricks() -> bytes:
    """A wall and nobody."""
    return hostile.encoded(Image.fromarray(data.brick()).convert("RGB"), "JPEG")


@cache
def rocket() -> bytes:
    """Something to stand before."""
    return hostile.encoded(Image.fromarray(data.rocket()), "JPEG")


def launched(playwright: Playwright) -> Browser:
    path = "/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else None
    return playwright.chromium.launch(
        executable_path=path,
        args=[
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            f"--host-resolver-rules=MAP {NEIGHBOUR} 127.0.0.1 , MAP * ~NOTFOUND , EXCLUDE localhost",
        ],
    )


@contextmanager
def still(browser: Browser, **how: Any) -> Iterator[BrowserContext]:
    """A browser of one's own, with nothing in it yet, that wants no motion."""
    context = browser.new_context(**{**DESK, "reduced_motion": "reduce", **how})
    context.set_default_timeout(PATIENCE)
    try:
        yield context
    finally:
        context.close()


@contextmanager
def visiting(browser: Browser, server: Server, **how: Any) -> Iterator["Visitor"]:
    with still(browser, **{"timezone_id": "Europe/Berlin", **how}) as context:
        context.add_init_script(NOTE_REFUSALS)
        yield Visitor(context=context, server=server)


def settled(page: Page) -> None:
    """Until the server has said all that it has to say: a list that opens before it is drawn anew closes again."""
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible(timeout=PATIENCE)


def unfold(page: Page, name: str) -> None:
    """Open an expander, and wait until it has its height: before, what is inside slides away under a finger."""
    page.get_by_text(name).first.click()
    page.wait_for_function(UNFOLDED, polling=100)


@dataclass
class Visitor:
    context: BrowserContext
    server: Server
    page: Page = field(init=False)
    pictures: set[str] = field(default_factory=set)  # addresses of images and archives that the page asked for
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("request", self._asked)
        self.context.on("console", lambda line: self._complained(line.text) if line.type == "error" else None)
        self.context.on("weberror", lambda error: self._complained(str(error.error)))
        self.page = self.context.new_page()

    def _asked(self, request: Request) -> None:
        if not re.match(rf"(http|ws)://{self.server.host}/|data:|blob:", request.url):
            self.foreign.append(request.url)
        elif PICTURES.search(request.url):
            self.pictures.add(request.url.removeprefix(self.server.url))

    def _complained(self, text: str) -> None:
        if not KNOWN_NOISE.search(text):
            self.complaints.append(text)

    @property
    def refused(self) -> list[str]:
        """What the content security policy kept the page from."""
        found: list[str] = self.page.evaluate("window.refused")
        return found

    # ------------------------------------------------------------------------------------------------ going about
    def open(self, path: str = "/") -> "Visitor":
        self.page.goto(self.server.url + path)
        expect(self.page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE)
        return self

    def new_tab(self) -> "Visitor":
        self.page = self.context.new_page()
        return self.open()

    def sees(self, title: str) -> None:
        expect(self.heading(title)).to_be_visible(timeout=PATIENCE)

    def reads(self, text: "str | re.Pattern[str]") -> None:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE)

    def heading(self, title: str) -> Locator:
        return self.page.get_by_role("heading", level=1, name=title)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> None:
        self.button(name).click(timeout=PATIENCE)

    def settled(self) -> None:
        settled(self.page)

    # ----------------------------------------------------------------------------------------------- the studio
    def choose_file(self, photo: bytes, name: str = "me.jpg", *, label: str = "Your photo") -> None:
        uploader = self.page.get_by_test_id("stFileUploader").filter(has_text=label)
        kind = {"png": "image/png", "webp": "image/webp", "heic": "image/heic", "avif": "image/avif"}
        uploader.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": kind.get(name.rpartition(".")[2].lower(), "image/jpeg"), "buffer": photo}
        )

    def add(self, photo: bytes | None = None, name: str = "me.jpg") -> "Visitor":
        self.choose_file(photo or portrait(), name)
        expect(self.button("Generate headshots")).to_be_visible(timeout=PATIENCE)
        return self

    def agree(self) -> None:
        for start in ("This is my photo", "I am 18"):
            box = self.page.get_by_role("checkbox", name=re.compile(f"^{start}"))
            self.page.get_by_text(re.compile(f"^{start}")).click()
            expect(box).to_be_checked(timeout=PATIENCE)
        self.settled()

    def choose(self, name: str) -> None:
        """One of the pills or pictures that stand side by side."""
        self.page.get_by_role("radio", name=name, exact=True).or_(self.button(name)).first.click(timeout=PATIENCE)
        self.settled()

    def choose_picture(self, group: str, name: str) -> None:
        options = self.page.get_by_role("group", name=group, exact=True)
        radio = options.get_by_role("radio", name=re.compile(f"^{name}"))
        radio.check(timeout=PATIENCE)
        expect(radio).to_be_checked()
        self.settled()

    def generate(self) -> None:
        self.press("Generate headshots")
        expect(self.button("Generate headshots")).to_have_count(0, timeout=PATIENCE)

    def make(self, photo: bytes | None = None) -> "Visitor":
        """From an empty page to results."""
        self.add(photo)
        self.agree()
        self.generate()
        expect(self.heading("Your headshots are ready")).to_be_visible(timeout=2 * PATIENCE)
        return self

    def claim_code(self) -> str:
        return self.page.locator("[data-ws-code]").inner_text(timeout=PATIENCE)

    def enter_code(self, code: str) -> None:
        self.page.get_by_role("textbox", name="Claim code").fill(code)
        self.press("Open my photos")

    def downloads(self) -> dict[str, str]:
        """What the links that start with Download say, and where they lead."""
        links = self.page.get_by_role("link", name=re.compile("^Download"))
        expect(links.first).to_be_visible(timeout=PATIENCE)
        return {link.inner_text().split("\n")[0]: str(link.get_attribute("href")) for link in links.all()}

    def downloaded(self, name: str) -> bytes:
        """The file that a person gets who clicks on the link."""
        with self.page.expect_download(timeout=PATIENCE) as download:
            self.page.get_by_role("link", name=re.compile(f"^{re.escape(name)}")).click()
        return download.value.path().read_bytes()

    def erase_this(self) -> None:
        self.press("Erase now")
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("textbox").fill("ERASE")
        dialog.get_by_role("button", name=re.compile("^Erase")).click()
        expect(dialog).to_be_hidden(timeout=PATIENCE)

    def status_of(self, path: str) -> int:
        return self.context.request.get(self.server.url + path).status

    def body_of(self, path: str) -> bytes:
        return self.context.request.get(self.server.url + path).body()


def image_size(jpeg: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(jpeg)) as image:
        image.load()
        return image.size
