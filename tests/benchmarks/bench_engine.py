"""
How long the on-device engine takes, as a ratio to its floor, and how much memory.

Run it with `python -m tests.benchmarks.bench_engine [--json]`.

The floor is what nobody can avoid: decode the same photo with Pillow, scale it to the size of the result, write a JPEG.
Floor and engine take turns in one process, so that a busy machine slows both. Targets are reported, never enforced:
a slow machine is no failing test.
"""

import io
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image
from skimage import data

from core.engines.on_device import OnDevice
from core.ports import Headshot, Order, Stage
from tests.benchmarks.common import Figure, main

PHOTO_SIZE = (3024, 4032)  # 12 MP, an ordinary phone
RATIO, LONG_SIDE, VARIANTS = "4:5", 2048, 4
ROUNDS = 5
QUALITY = 92

FIRST_TARGET, FURTHER_TARGET, MEMORY_TARGET = 3.0, 0.75, 450.0
PREVIEW_TARGET = 0.3  # seconds


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Medians; seconds, ratios to the floor, MiB."""

    floor_s: float
    first_s: float
    further_s: float
    first_per_floor: float
    further_per_floor: float
    preview_s: float
    stages_s: dict[str, float]
    peak_mib: float


def twelve_megapixels() -> bytes:
    """NASA's public-domain portrait, cropped to a phone's shape and enlarged, with a phone's grain."""
    enlarged = cv2.resize(data.astronaut()[:, 40:424], PHOTO_SIZE, interpolation=cv2.INTER_CUBIC)
    random = np.random.default_rng(1)
    shape = (PHOTO_SIZE[1], PHOTO_SIZE[0])
    grain = random.standard_normal((*shape, 1), dtype=np.float32) * 4
    colour = random.standard_normal((*shape, 3), dtype=np.float32) * 2
    pixels = np.clip(enlarged + grain + colour, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def order(photo: bytes) -> Order:
    return Order(portrait=photo, ratio=RATIO, long_side=LONG_SIDE, style="studio", backdrop="grey", variants=VARIANTS)


def floor(photo: bytes, size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(photo)) as image:
        small = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    small.save(io.BytesIO(), "JPEG", quality=QUALITY, subsampling=0)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@dataclass(frozen=True, kw_only=True)
class Round:
    stages: dict[str, float]
    first: float
    further: float
    size: tuple[int, int]


def one_round(engine: OnDevice, photo: bytes) -> Round:
    """One run, with the time at which each stage and each headshot came."""
    stages: dict[str, float] = {}
    headshots: list[float] = []
    size = (0, 0)
    stage = ""
    started = last = time.perf_counter()
    for event in engine.make(order(photo)):
        now = time.perf_counter()
        if stage and not headshots:
            stages[stage] = now - last
        last = now
        if isinstance(event, Stage):
            stage = event.name
        elif isinstance(event, Headshot):
            headshots.append(now - started)
            size = (event.width, event.height)
    further = (headshots[-1] - headshots[0]) / (len(headshots) - 1)
    return Round(stages=stages, first=headshots[0], further=further, size=size)


def measure() -> Figures:
    photo = twelve_megapixels()
    engine = OnDevice()
    size = one_round(engine, photo).size  # the first run also loads the model
    floors, previews, rounds = [], [], []
    for _ in range(ROUNDS):
        floors.append(timed(lambda: floor(photo, size)))
        rounds.append(one_round(engine, photo))
        previews.append(timed(lambda: engine.preview(photo, ratio=RATIO)))
    stages: dict[str, list[float]] = defaultdict(list)
    for run in rounds:
        for name, seconds in run.stages.items():
            stages[name].append(seconds)
    base = statistics.median(floors)
    first = statistics.median(run.first for run in rounds)
    further = statistics.median(run.further for run in rounds)
    peak = peak_memory(photo)
    preview = statistics.median(previews)
    return Figures(
        floor_s=round(base, 3),
        first_s=round(first, 3),
        further_s=round(further, 3),
        first_per_floor=round(first / base, 2),
        further_per_floor=round(further / base, 2),
        preview_s=round(preview, 3),
        stages_s={name: round(statistics.median(seconds), 3) for name, seconds in stages.items()},
        peak_mib=round(peak, 0),
    )


def peak_memory(photo: bytes) -> float:
    """MiB at the most, of a process of its own that makes all variants and previews twice."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "photo.jpg"
        file.write_bytes(photo)
        command = [sys.executable, "-m", "tests.benchmarks.engine_once", str(file)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(answer)


def figures() -> list[Figure]:
    found = measure()
    return [
        Figure(name="first headshot", value=found.first_s, floor=found.floor_s, promised=FIRST_TARGET),
        Figure(name="each further headshot", value=found.further_s, floor=found.floor_s, promised=FURTHER_TARGET),
        Figure(name="peak memory", value=found.peak_mib, unit="MiB", of="value", promised=MEMORY_TARGET),
        Figure(name="framing preview", value=found.preview_s, of="value", promised=PREVIEW_TARGET),
        *(Figure(name=f"  {stage}", value=seconds, floor=found.floor_s) for stage, seconds in found.stages_s.items()),
    ]


if __name__ == "__main__":
    main(figures, __doc__)
