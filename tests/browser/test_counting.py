"""
What is counted of a day that is known to the last click: three browsers before the real app, and the tables afterwards.

One may be counted; one says Sec-GPC with every request; one has pressed the button on My photos.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.models import Copy, Generation, StageEvent, Subject, UsageCount, UsageHour
from core.usage.metrics import Metric
from tests.browser.backstage import Backstage
from tests.browser.studio import PATIENCE, PHONE, Visitor, bricks, visiting
from tests.web.served import ROOT, Server, serve, until

pytestmark = pytest.mark.browser

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148"
TIMES = {Metric.TOOK, Metric.STAGE_TOOK, Metric.QUEUE_WAIT, Metric.GONE_TOOK}
"""How long things took is not known beforehand; how many there were is."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def running(folder: Path, tmp_path: Path) -> Iterator[ExitStack]:
    with ExitStack() as until_stopped:
        yield until_stopped


@pytest.fixture
def counting(running: ExitStack, folder: Path, tmp_path: Path) -> Server:
    log = tmp_path / "server.log"
    page, never = ROOT / "streamlit_app.py", {"CANARY_EVERY_MINUTES": "0"}
    return running.enter_context(serve(log, page=page, DATA_DIR=str(folder), **never))


@pytest.fixture
def comes(running: ExitStack, chromium: Browser, counting: Server) -> Callable[..., Visitor]:
    return lambda **how: running.enter_context(visiting(chromium, counting, **how)).open()


def test_the_tables_say_what_happened_and_nothing_of_who_said_no(
    comes: Callable[..., Visitor], running: ExitStack, folder: Path
) -> None:
    lives_a_day(comes(locale="de-AT"))
    is_silent(comes(extra_http_headers={"Sec-GPC": "1"}))
    says_no(comes(**PHONE, user_agent=IPHONE))
    with Backstage(folder) as backstage:
        assert until(lambda: nothing_waits(backstage), seconds=60)
        running.close()  # the server stops in good order: what it has counted is written
        sums, hours = told(backstage), by_hour(backstage)
        agrees_with_the_rows(backstage)

    assert {cell: n for cell, n in sums.items() if cell[0] != "stage_took"} == {
        ("step", "visit", ""): 2,  # the third one's, before it said no
        ("step", "photo", ""): 1,
        ("step", "checks", ""): 1,
        ("step", "generate", ""): 1,
        ("step", "ready", ""): 1,
        ("step", "download", ""): 1,
        ("visit_device", "computer", ""): 1,
        ("visit_device", "phone", ""): 1,
        ("visit_language", "de", ""): 1,
        ("visit_language", "en", ""): 1,
        ("photo_refused", "no_person", ""): 1,
        ("run_style", "warm", ""): 1,
        ("run_purpose", "linkedin", ""): 1,
        ("run_contract", "30d", ""): 1,
        ("run", "on_device", "ready"): 1,
        ("headshot", "on_device", ""): 2,
        ("queue_wait", "on_device", "*"): 1,
        ("took", "on_device", "*"): 1,
        ("download", "original", ""): 1,
        ("download", "all", ""): 1,
        ("shortened", "7d", ""): 1,
        ("erased", "portrait", "asked"): 1,
        ("erased", "headshot", "asked"): 2,
        ("gone_took", "asked", "*"): 3,
    }
    assert hours == {"step": 2}
    assert {n for cell, n in sums.items() if cell[0] == "stage_took"} == {1}


def lives_a_day(ann: Visitor) -> None:
    ann.press("English")  # the browser still asks for German, and that is what counts
    ann.sees("A headshot that still looks like you")
    ann.choose_file(bricks())
    ann.press("Use another photo")
    ann.add()
    ann.choose_picture("Style", "Warm")
    ann.agree()
    ann.generate()
    ann.sees("Your headshots are ready")
    ann.open()  # once more: it is one visit, and ready once
    ann.sees("Your headshots are ready")
    largest = next(name for name in ann.downloads() if re.search(r"\d", name))
    ann.downloaded(largest)
    ann.downloaded("Download all")
    ann.choose("7 days")
    ann.press("Keep only 7 days")
    expect(ann.button("Keep only 7 days")).to_have_count(0)
    ann.settled()
    ann.erase_this()
    ann.sees("Erased")
    expect(ann.page.get_by_text("erased ✓ proved")).to_have_count(3)


def is_silent(gil: Visitor) -> None:
    gil.open("/my_photos")
    gil.reads("Your browser asks not to be counted, and is not")
    expect(gil.button("Do not count this browser")).to_have_count(0)
    gil.open()
    goes_the_whole_way(gil)


def says_no(otto: Visitor) -> None:
    otto.open("/my_photos")
    otto.reads("This browser is counted")
    otto.press("Do not count this browser")
    otto.reads("This browser is not counted")
    (kept,) = [cookie for cookie in otto.context.cookies() if cookie["name"] == "workshot_count"]
    assert (kept["value"], kept["httpOnly"], kept["sameSite"]) == ("no", True, "Lax")
    otto.open()
    goes_the_whole_way(otto)


def goes_the_whole_way(visitor: Visitor) -> None:
    visitor.make()
    visitor.downloaded("Download all")
    visitor.erase_this()
    visitor.sees("Erased")
    expect(visitor.page.get_by_text("erased ✓ proved")).to_have_count(3, timeout=PATIENCE)
    assert visitor.refused == []


# ---------------------------------------------------------------------------------------------------------- the tables
def told(backstage: Backstage) -> Mapping[tuple[str, str, str], int]:
    sums: Counter[tuple[str, str, str]] = Counter()
    for row in backstage.rows(UsageCount):
        if row.metric != Metric.PROMISE:  # nobody's doing: measured by the server itself, now and then
            sums[row.metric, row.a, "*" if Metric(row.metric) in TIMES else row.b] += row.n
    return sums


def by_hour(backstage: Backstage) -> Mapping[str, int]:
    sums: Counter[str] = Counter()
    for row in backstage.rows(UsageHour):
        sums[row.metric] += row.n
    return sums


def agrees_with_the_rows(backstage: Backstage) -> None:
    counted = {person.id for person in backstage.rows(Subject) if person.is_counted}
    runs = [run for run in backstage.rows(Generation) if run.subject_id in counted]
    gone = [copy for copy in backstage.rows(Copy) if copy.subject_id in counted and copy.gone_at]
    sums = told(backstage)
    assert len(backstage.rows(Subject)) == 3 and len(counted) == 1
    assert len(runs) == sum(n for (metric, _, _), n in sums.items() if metric == "run")
    assert len(gone) == sum(n for (metric, _, _), n in sums.items() if metric == "erased")
    entered = {event.stage for event in backstage.rows(StageEvent) if event.generation_id in {run.id for run in runs}}
    assert {a.partition(".")[2] for metric, a, _ in sums if metric == "stage_took"} == entered


def nothing_waits(backstage: Backstage) -> bool:
    return all(copy.gone_at for copy in backstage.rows(Copy))
