"""
A run under way, with a worker that goes one step at a time: this test is the worker, the server has none.

One run a day and one place in the queue, so that every limit is met.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core import bootstrap, jobs
from core.models import Generation, RunState
from core.ports import Engine, Headshot, Order, Stage
from core.services import Services
from core.settings import Settings
from tests.browser.backstage import Backstage
from tests.browser.conftest import APP
from tests.browser.studio import PATIENCE, PHONE, Visitor, bricks, portrait, visiting
from tests.web.served import Server, serve

pytestmark = pytest.mark.browser

Someone = Callable[..., Visitor]


@dataclass
class StepByStep:
    """The real engine; before each stage and each headshot it waits for a word."""

    engine: Engine
    steps: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __getattr__(self, name: str) -> object:
        return getattr(self.engine, name)

    def make(self, order: Order) -> Iterator[Stage | Headshot]:
        for made in self.engine.make(order):
            yield made
            self.steps.acquire(timeout=60)


@dataclass
class HandDriven:
    """A worker that works when it is told to."""

    svc: Services
    worker: jobs.Worker
    engine: StepByStep
    thread: threading.Thread | None = None

    def begin(self) -> None:
        """Take the next run; it goes on with `step` and `finish`."""
        self.engine.steps = threading.Semaphore(0)
        self.thread = threading.Thread(target=self.worker.look, args=(jobs.ENGINE_WORK,))
        self.thread.start()

    def step(self, times: int = 1) -> None:
        self.engine.steps.release(times)

    def finish(self) -> None:
        """All that there is to do."""
        self.engine.steps.release(1000)
        if self.thread:
            self.thread.join(60)
        while self.worker.look((*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK)):
            pass


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs") / "data"


@pytest.fixture(scope="module")
def server(data_dir: Path) -> Iterator[Server]:
    limits = {"RUNS_PER_DAY": "1", "QUEUE_LIMIT": "1", "WORKER": "external"}
    with serve(data_dir.parent / "server.log", page=APP, DATA_DIR=str(data_dir), **limits) as up:
        yield up


@pytest.fixture(scope="module")
def backstage(server: Server, data_dir: Path) -> Iterator[Backstage]:
    with Backstage(data_dir) as open_curtain:
        yield open_curtain


@pytest.fixture(scope="module")
def driven(server: Server, data_dir: Path) -> HandDriven:
    svc = bootstrap.build(Settings(data_dir=data_dir))
    engine = StepByStep(svc.engines["on_device"])
    svc = replace(svc, engines={"on_device": engine})  # type: ignore[dict-item]
    return HandDriven(svc, jobs.Worker(svc), engine)


@pytest.fixture
def worker(driven: HandDriven) -> Iterator[HandDriven]:
    yield driven
    driven.finish()


@pytest.fixture
def someone(chromium: Browser, server: Server) -> Iterator[Someone]:
    with ExitStack() as browsers:
        yield lambda **how: browsers.enter_context(visiting(chromium, server, **how)).open()


def started(visitor: Visitor, photo: bytes | None = None) -> Visitor:
    visitor.add(photo)
    visitor.agree()
    visitor.generate()
    visitor.sees("Making your headshots")
    return visitor


def is_at(visitor: Visitor, stage: str) -> None:
    expect(visitor.page.locator(".ws-stages [aria-current=step]")).to_contain_text(stage, timeout=PATIENCE)


def test_stages_are_seen_as_they_happen_and_a_run_is_found_again(someone: Someone, worker: HandDriven) -> None:
    ann = started(someone(**PHONE))
    ann.reads("Starting now.")
    worker.begin()
    is_at(ann, "Reading")
    worker.step(3)
    is_at(ann, "Edges")

    ann.open()
    is_at(ann, "Edges")
    first_tab = ann.page
    ann.new_tab()
    is_at(ann, "Edges")
    worker.step(4)
    expect(ann.page.get_by_role("img", name="Headshot 1")).to_be_visible(timeout=PATIENCE)
    ann.sees("Making your headshots")

    worker.finish()
    ann.sees("Your headshots are ready")
    expect(first_tab.get_by_role("heading", name="Your headshots are ready")).to_be_visible(timeout=PATIENCE)
    assert ann.complaints == []


def test_a_run_that_is_cancelled_does_not_count(someone: Someone, worker: HandDriven) -> None:
    ann = started(someone())
    worker.begin()
    is_at(ann, "Reading")
    ann.press("Cancel this run")
    ann.reads("Stopping after this step.")
    worker.finish()
    ann.sees("Stopped")
    ann.reads("It does not count")
    ann.press("Try again with this photo")
    ann.sees("Another from the same photo")
    ann.reads("1 of 1 left today")


def test_what_was_finished_before_the_cancel_is_kept(someone: Someone, worker: HandDriven) -> None:
    ann = someone().add()
    ann.choose("4")
    ann.agree()
    ann.generate()
    worker.begin()
    is_at(ann, "Reading")
    worker.step(7)
    expect(ann.page.get_by_role("img", name="Headshot 1")).to_be_visible(timeout=PATIENCE)
    ann.press("Cancel this run")
    ann.reads("Stopping after this step.")
    worker.finish()
    ann.reads("The run was stopped; this is what was finished.")
    small_ones = ann.page.get_by_role("radio", name=re.compile(r"^Headshot \d$"))
    expect(small_ones.first).to_be_visible(timeout=PATIENCE)
    assert small_ones.count() < 4


def test_a_photo_without_a_person_says_why_and_costs_nothing(someone: Someone, backstage: Backstage) -> None:
    before = backstage.traces()
    ann = someone()
    ann.choose_file(bricks())
    ann.reads("We can't find a person")
    ann.reads("It was not stored anywhere, and nothing was spent.")
    ann.press("Use another photo")
    ann.add()
    ann.reads("1 of 1 left today")
    assert backstage.traces() == before


def test_a_run_that_fails_says_why_and_gives_the_allowance_back(
    someone: Someone, worker: HandDriven, backstage: Backstage
) -> None:
    """The photo passed the look before the run, and failed in the engine all the same."""
    ann = started(someone(), portrait())
    damage_photo_of_newest_run(worker, backstage)
    worker.finish()
    ann.sees("That did not work")
    ann.reads("The stored photo is damaged and does not open.")
    ann.press("Use another photo")
    ann.add()
    ann.reads("1 of 1 left today")


def damage_photo_of_newest_run(worker: HandDriven, backstage: Backstage) -> None:
    """What is in the vault is no longer what was put there."""
    run = backstage.newest_run()
    (portrait_copy,) = [copy for copy in backstage.copies_of(run.subject_id) if copy.id == run.portrait_id]
    worker.svc.vault.store.put(portrait_copy.object_key, b"something else")


def test_a_double_click_makes_one_run(someone: Someone, worker: HandDriven, backstage: Backstage) -> None:
    ann = someone().add()
    ann.agree()
    before = len(backstage.rows(Generation))
    ann.button("Generate headshots").dblclick()
    ann.sees("Making your headshots")
    worker.finish()
    ann.sees("Your headshots are ready")
    assert len(backstage.rows(Generation)) == before + 1


def test_two_tabs_with_the_same_photo_make_one_run(someone: Someone, worker: HandDriven, backstage: Backstage) -> None:
    ann = someone().add()
    ann.agree()
    first = ann.page
    ann.new_tab()
    ann.agree()
    before = len(backstage.rows(Generation))
    ann.generate()
    ann.sees("Making your headshots")
    first.get_by_role("button", name="Generate headshots").click()
    expect(first.get_by_role("heading", name="Making your headshots")).to_be_visible(timeout=PATIENCE)
    worker.finish()
    ann.sees("Your headshots are ready")
    assert len(backstage.rows(Generation)) == before + 1


def test_the_days_limit_is_a_state_of_its_own(someone: Someone, worker: HandDriven) -> None:
    ann = started(someone())
    worker.finish()
    ann.sees("Your headshots are ready")
    ann.press("Use another photo")
    ann.add()
    ann.reads("Today's 1 run is used up.")
    ann.reads(re.compile("0 of 1 left today · all of them again in .* \\(00:00 UTC\\)"))
    expect(ann.button("Generate headshots")).to_be_disabled()


def test_a_full_queue_says_so_and_the_photo_is_still_there(
    someone: Someone, worker: HandDriven, backstage: Backstage
) -> None:
    ann, bob = started(someone()), someone().add()
    bob.agree()
    before = backstage.traces()
    bob.press("Generate headshots")
    bob.reads("Many people are making headshots just now.")
    bob.reads("Your photo is still only in memory here.")
    assert backstage.traces() == before
    worker.finish()
    ann.sees("Your headshots are ready")
    bob.generate()
    bob.sees("Making your headshots")
    worker.finish()
    bob.sees("Your headshots are ready")
    assert {run.state for run in backstage.rows(Generation)} <= {RunState.READY, RunState.FAILED, RunState.CANCELLED}
