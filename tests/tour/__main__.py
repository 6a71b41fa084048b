"""
The tour: every screen as a picture, on phone and desk, light and dark.

`make tour` (or `python -m tests.tour`) makes the pictures of styles and backdrops anew, then takes the README's
screenshots into data/tour/. With `--all FOLDER` it takes every screen in every size and theme into a folder of your
choice instead, to look at. The portrait is NASA's of Eileen Collins, in the public domain. Testers' pages have a
stand-in of a third party beside the engine here; operators' pages show a demo, and nobody's photo.
"""

import argparse
import io
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from core import bootstrap, demo, operators
from core.models import Role
from core.services import Services
from core.settings import Settings
from tests.browser.studio import PATIENCE, Visitor, launched, portrait, visiting
from tests.peers.apimart import ApiMart
from tests.peers.apimart_app import studio
from tests.tour import pictures
from tests.web.served import ROOT, Server, serve, until

TOUR = ROOT / "data" / "tour"
IN_README = frozenset(
    {
        "welcome-390-light", "compose-390-light", "ready-390-dark", "erased-390-light", "ready-1280-light",
        "promises-1280-light", "promises-390-dark", "policy-390-light", "checklist-390-light", "check_image-390-light",
        "german-390-light", "desk-1280-light", "retention-1280-light", "usage-1280-light", "usage-390-dark",
    }
)  # fmt: skip
TALLEST = 1680  # px; what a README can bear
MOST_COLOURS = 20_000  # of text and charts; photos have more
SIZES = {390: {"is_mobile": True, "has_touch": True, "device_scale_factor": 1.5}, 1280: {"device_scale_factor": 1}}

DAYS, PEOPLE = 400, 20_000
"""Of the demo: enough for a year of months beside the year before, and for hardly a number to be too small to show."""

Take = Callable[[str], None]
Walk = Callable[[Visitor, Take], None]


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.tour", description=__doc__.strip().splitlines()[0])
    options.add_argument("--all", type=Path, metavar="FOLDER", help="every screen, into this folder")
    chosen = options.parse_args()
    if not chosen.all:
        pictures.main()
    folder, wanted = chosen.all or TOUR, None if chosen.all else IN_README
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright, ApiMart() as api:
        browser = launched(playwright)
        with studio(api, Path(place), RUN_BY="Aurora Studio", PRIVACY_CONTACT="privacy@aurora.example") as server:
            tour(browser, server, walk, folder, wanted)
        house = Path(place) / "operators"
        svc = bootstrap.build(Settings(data_dir=house))
        demo.make(svc, days=DAYS, subjects=PEOPLE)
        with serve(Path(place) / "log", page=ROOT / "streamlit_app.py", DATA_DIR=str(house)) as server:
            tour(browser, server, lambda visitor, take: on_duty(svc, visitor, take), folder, wanted)


def tour(browser: Browser, server: Server, way: Walk, folder: Path, wanted: Collection[str] | None) -> None:
    """All screens of a way through the pages, or those of the wanted names."""
    folder.mkdir(parents=True, exist_ok=True)
    for width, how in SIZES.items():
        for scheme in ("light", "dark"):
            end = f"-{width}-{scheme}"
            if wanted is not None and not any(name.endswith(end) for name in wanted):
                continue
            viewport = {"width": width, "height": 900}
            with visiting(browser, server, viewport=viewport, color_scheme=scheme, **how) as visitor:
                way(visitor, taker(visitor, folder, end, wanted))


def walk(visitor: Visitor, take: Take) -> None:
    """From the first look to the proof."""
    visitor.open()
    take("welcome")
    visitor.add(portrait(1600))
    take("compose")
    visitor.choose("4")
    visitor.agree()
    visitor.generate()
    visitor.sees("Making your headshots")
    take("running")
    visitor.sees("Your headshots are ready")
    take("ready")
    made = visitor.body_of(next(path for path in visitor.downloads().values() if "/img/" in path))
    visitor.open("/my_photos")
    take("my_photos")
    visitor.open()
    visitor.erase_this()
    visitor.sees("Erased")
    take("erased")
    where_it_can_be_checked(visitor, made, take)
    visitor.open("/report")
    take("report")
    visitor.press("Deutsch")
    visitor.open()
    take("german")


def where_it_can_be_checked(visitor: Visitor, made: bytes, take: Take) -> None:
    """The public pages: what is promised and how it stands, what to ask of any such tool, what a file says."""
    assert until(lambda: "not measured yet" not in visitor.open("/promises").page.content(), seconds=120)
    for page in ("promises", "policy", "checklist", "guide"):
        visitor.open(f"/{page}")
        take(page)
    visitor.open("/check_image")
    visitor.choose_file(made, label="The image")
    visitor.reads("Was it made here?")
    take("check_image")


def on_duty(svc: Services, visitor: Visitor, take: Take) -> None:
    """A founder looks at every page of operators."""
    link = operators.make_link(svc, Role.FOUNDER)
    visitor.page.goto(f"{visitor.server.url}/staff/{link.url.rpartition('/')[2]}")
    visitor.page.get_by_role("button", name="Sign in").click()
    visitor.open("/ops_deletions")
    take("desk")
    visitor.open("/ops_retention")
    take("retention")
    visitor.open("/ops_usage")
    take("usage")


def taker(visitor: Visitor, folder: Path, end: str, wanted: Collection[str] | None) -> Take:
    def take(screen: str) -> None:
        name = screen + end
        if wanted is None or name in wanted:
            (folder / f"{name}.png").write_bytes(shot(visitor, tallest=9000 if wanted is None else TALLEST))

    return take


def shot(visitor: Visitor, *, tallest: int) -> bytes:
    """The whole page as one picture. Streamlit scrolls inside, so the window is made as tall as what it holds."""
    page = visitor.page
    size = page.viewport_size
    assert size
    if not visitor.heading("Making your headshots").is_visible():  # that one never settles
        visitor.settled()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=3 * PATIENCE)
    page.evaluate("document.activeElement?.blur()")
    height = page.evaluate(
        "Math.max(...[...document.querySelectorAll('[data-testid=stMainBlockContainer]')].map("
        "block => block.getBoundingClientRect().bottom + document.querySelector('[data-testid=stMain]').scrollTop))"
    )
    page.set_viewport_size({"width": size["width"], "height": max(500, min(round(height), tallest))})
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    until(lambda: page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)"))
    taken = page.screenshot(animations="disabled")
    page.set_viewport_size(size)
    with Image.open(io.BytesIO(taken)) as image:
        return _as_png(image.convert("RGB"))


def _as_png(image: Image.Image) -> bytes:
    """Without a photo in it, a palette shows all that there is in a third of the bytes."""
    out, few = io.BytesIO(), image.getcolors(maxcolors=MOST_COLOURS)
    small = image.quantize(256, dither=Image.Dither.NONE) if few else image
    small.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    main()
