"""
From the click on "Generate headshots" to the first picture that a person sees, beside the engine's own time for it.

Run it with `python -m tests.benchmarks.bench_click [--json]`. A real server, a real Chromium, a 12 MP photo. The
engine's time is that of the very same run, from its first stage to its first headshot, so the difference is what all
the rest costs: the click's way, consent and upload written, the queue, the vault, the page's polling, the picture's
way back. The browser notes its own two moments, and all three processes share one clock.
"""

import statistics
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright
from sqlmodel import Session, col, select

from core.db import connect
from core.models import Copy, Generation, HeadshotRow, StageEvent
from tests.benchmarks.bench_engine import twelve_megapixels
from tests.benchmarks.common import APP, Figure, main, server
from tests.browser.studio import Visitor, launched, visiting
from tests.web.served import Server

ROUNDS = 4
PROMISED = 0.7

WATCH = """
window.moments = {};
document.addEventListener("click", (event) => {
  if (event.target.closest("button")?.innerText.includes("Generate")) window.moments.clicked = Date.now();
}, true);
const look = () => {
  const images = [...document.querySelectorAll('img[src*="/img/"]')];
  const seen = images.some((image) => image.complete && image.naturalWidth);
  if (seen) window.moments.seen = Date.now(); else requestAnimationFrame(look);
};
look();
"""


@dataclass(frozen=True)
class Click:
    """Seconds of one run."""

    to_picture: float
    engine: float
    to_first_stage: float  # after the click
    to_stored: float  # after the engine gave the headshot
    to_seen: float  # after it was stored


def measure() -> list[Figure]:
    photo = twelve_megapixels()
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        chromium = launched(playwright)
        environment = {"DATA_DIR": str(folder / "data"), "RUNS_PER_NETWORK_PER_DAY": "500"}
        with server(APP, folder, healthy="/healthz", **environment) as (url, _, pid):
            there = Server(int(url.rpartition(":")[2]), folder / "server.log", pid)
            clicks = []
            for _ in range(ROUNDS):
                with visiting(chromium, there) as visitor:
                    clicks.append(one_click(visitor, photo, folder / "data"))
        chromium.close()
    usual = statistics.median_low(clicks_by_difference := [click.to_picture - click.engine for click in clicks])
    click = clicks[clicks_by_difference.index(usual)]
    return [
        Figure(
            name="click to first picture",
            value=click.to_picture,
            floor=click.engine,
            of="difference",
            promised=PROMISED,
        ),
        Figure(name="  click to first stage", value=click.to_first_stage),
        Figure(name="  headshot made to stored", value=click.to_stored),
        Figure(name="  stored to seen", value=click.to_seen),
    ]


def one_click(visitor: Visitor, photo: bytes, data_dir: Path) -> Click:
    visitor.open().add(photo)
    visitor.agree()
    visitor.page.evaluate(WATCH)
    visitor.press("Generate headshots")
    visitor.sees("Your headshots are ready")
    moments = visitor.page.evaluate("window.moments")
    began, made, stored = newest_run(data_dir)
    clicked, seen = (datetime.fromtimestamp(moments[name] / 1000, UTC) for name in ("clicked", "seen"))
    return Click(
        to_picture=(seen - clicked).total_seconds(),
        engine=(made - began).total_seconds(),
        to_first_stage=(began - clicked).total_seconds(),
        to_stored=(stored - made).total_seconds(),
        to_seen=(seen - stored).total_seconds(),
    )


def newest_run(data_dir: Path) -> tuple[datetime, datetime, datetime]:
    """When the newest run entered its first stage, and when its first headshot was made and stored."""
    database = connect(f"sqlite:///{data_dir / 'workshot.db'}")
    with Session(database) as session:
        run = session.exec(select(Generation.id).order_by(col(Generation.created_at).desc())).first()
        stages = select(StageEvent.entered_at).where(StageEvent.generation_id == run)
        began = session.exec(stages.order_by(col(StageEvent.id))).first()
        shots = select(Copy).join(HeadshotRow, col(HeadshotRow.copy_id) == Copy.id)
        first = session.exec(shots.where(HeadshotRow.generation_id == run, HeadshotRow.variant == 1)).one()
    database.dispose()
    if began is None or first.written_at is None:
        raise RuntimeError("the run has no first stage or no headshot")
    return began, first.created_at, first.written_at


if __name__ == "__main__":
    main(measure, __doc__)
