"""Real processes and the real engine, killed from outside, at moments that nobody chose."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.models import StageEvent
from tests.engines.portraits import portrait
from tests.faults import victim
from tests.faults.conftest import Scene
from tests.web.served import ROOT, serve, until

APP = ROOT / "streamlit_app.py"


@pytest.mark.sqlite_only("tests/adapters/test_runners.py kills workers of a PostgreSQL again and again")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_worker_with_the_real_engine_is_killed_again_and_again(scene: Scene, seed: int) -> None:
    """Three times, fewer than a run may be tried. Its lease really runs out: clocks are not ahead here."""
    for _ in range(2):
        victim.ask(scene.svc, portrait())
    pauses = random.Random(seed)
    for _ in range(3):
        worker = scene.start(does="serve", engine="on_device")
        worker.join(victim.LEASE + pauses.uniform(0.1, 1.5))
        worker.kill()
        worker.join()
        scene.every_object_has_a_row()
    with worker_of_the_command_line(scene):
        assert until(scene.all_is_done, seconds=60)
    scene.nothing_is_lost_or_doubled(attempts=4)
    scene.everything_goes()


def test_the_whole_server_is_killed_and_started_again(scene: Scene, tmp_path: Path) -> None:
    """In a run, between two variants, and while it erases."""
    victim.ask(scene.svc, portrait())
    for name, ready in (
        ("edges", lambda: scene.entered("edges") > 0),
        ("variant", lambda: len(scene.objects()) > 1),
    ):
        with serve(tmp_path / f"{name}.log", page=APP, **scene.environment) as server:
            assert until(ready, seconds=60)
            os.kill(server.pid, signal.SIGKILL)
        scene.every_object_has_a_row()
    with serve(tmp_path / "erasing.log", page=APP, **scene.environment) as server:
        assert until(scene.all_is_done, seconds=60)
        scene.nothing_is_lost_or_doubled()
        scene.ask_to_erase_everything()
        until(lambda: len(scene.objects()) < 3)
        os.kill(server.pid, signal.SIGKILL)
    scene.everything_goes()
    assert len({event.stage for event in scene.rows(StageEvent)}) >= 7


@contextmanager
def worker_of_the_command_line(scene: Scene) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "core", "worker"],
        cwd=ROOT,
        env={**os.environ, **scene.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout and b"started" in process.stdout.readline()
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
