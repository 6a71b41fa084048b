"""
The people of the demo: when they came, what they chose, what became of it, and the rows that this would have left.

First chance decides a life, then it is written down. Nothing is taken from anybody, and nothing is drawn: there are
rows of pictures and no pictures.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from core.catalogue import catalogue
from core.contracts import PROCESS_HEADSHOTS_KEPT, Contract
from core.demo.figures import Figures
from core.demo.writing import DAY, Stamps, Writer
from core.made_up import WORD
from core.models import CopyKind, EraseReason, ProviderCopyKind, ProviderTaskState, RunState
from core.settings import Settings
from core.usage.metrics import Metric

HERE, THERE = "on_device", "apimart"
MODEL: Final = "gemini-3.1-flash-image-preview"
PRICE: Final = 15_000
"""Of a headshot there, in millionths of a US dollar."""
WEEK: Final = (1.12, 1.22, 1.18, 1.10, 0.92, 0.52, 0.58)
"""How busy a weekday is, Monday first."""
HOURS: Final = (3, 2, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 12, 12, 12, 11, 10, 10, 11, 12, 12, 10, 8, 5)
DOUBLES_IN: Final = 420
"""Days in which twice as many come."""
CONTRACTS: Final = {
    Contract.PROCESS: 4,
    Contract.HOUR: 6,
    Contract.DAY: 16,
    Contract.THREE_DAYS: 10,
    Contract.WEEK: 20,
    Contract.MONTH: 44,
}
STYLES: Final = (40, 18, 16, 12, 9, 5)
PURPOSES: Final = (56, 22, 12, 10)
STAGES: Final = {
    HERE: {"reading": 6, "outlining": 16, "framing": 6, "edges": 14, "light": 18, "background": 12, "finishing": 28},
    THERE: {"sending": 8, "waiting": 84, "fetching": 8},
}
FAILS: Final = {
    HERE: {"no_person": 46, "person_too_small": 24, "photo_erased": 8, "gave_up": 12, "not_stored": 10},
    THERE: {"provider_failed": 40, "provider_refused": 34, "provider_slow": 14, "result_refused": 8, "unknown": 4},
}
AWAY: Final = {"provider_away": 80, "provider_slow": 20}
"""What happens to runs at a third party that is out of order."""
SIDES: Final = {"1:1": (1600, 1600), "4:5": (1280, 1600), "3:4": (1200, 1600), "2:3": (1067, 1600)}
ELSEWHERE_SHOWN: Final = 45 * DAY
"""What lay at a third party is written down for as long as any page asks for it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a person, at seconds since 1970."""

    created: int
    started: int
    ended: int
    state: RunState
    failure: str | None
    variants: int


@dataclass(slots=True)
class Life:
    """What a person did here. `shortened`: the clock that they had in the end, and since when; `wish`: when they had
    all of it erased; `trouble`: why it could not be, yet."""

    came: int
    uploaded: int
    engine: str
    chosen: Contract
    runs: list[Run]
    extras: tuple[CopyKind, ...] = ()
    shortened: tuple[Contract, int] | None = None
    wish: int | None = None
    trouble: str = ""
    probes: int = 0
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def contract(self) -> Contract:
        return self.shortened[0] if self.shortened else self.chosen


@dataclass(frozen=True, slots=True)
class Kept:
    """A copy as it was written down."""

    id: str
    key: str
    kind: CopyKind
    size: int
    erased: int | None
    gone: int | None


class People:
    """Makes lives, and writes them down."""

    def __init__(
        self, settings: Settings, writer: Writer, figures: Figures, stamp: Stamps, now: int, seed: int
    ) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - the same demo again from the same seed
        self.now = now
        self.writer, self.figures, self.stamp = writer, figures, stamp
        self.assets = 0
        self._terms = settings.terms
        self._policy = "demo"
        self._numbers = 0
        self._quoted = Counter[str]()
        self._contracts = {one: CONTRACTS[one] for one in self._terms.offered}
        self._purposes, self._styles = catalogue().purposes, catalogue().styles
        self._backdrops = [one.id for one in catalogue().backdrops]
        self._outages = _outages(figures.first, figures.last)

    def new_id(self) -> str:
        """In order: a table is filled at its end, which is several times as fast as all over the place."""
        self._numbers += 1
        return f"{WORD}{self._numbers:028x}"

    def number(self, letter: str) -> str:
        """As long as those of people, until there are many; with a letter O, which those do not have."""
        number = self._quoted[letter] = self._quoted[letter] + 1
        return f"{letter}-DEMO{number:03X}"

    # -------------------------------------------------------------------------------------------------------- when
    def arrivals(self, subjects: int) -> Iterator[tuple[int, list[int]]]:
        """Day by day, the seconds at which somebody came; none of them is in the future."""
        chance, figures = self.chance, self.figures
        busy = {}
        for day in range(figures.first, figures.last + 1):
            weekday = (day + 3) % 7
            part = min(1.0, (self.now - day * DAY) / DAY)
            grown = 2 ** ((day - figures.last) / DOUBLES_IN)
            busy[day] = WEEK[weekday] * grown * part * chance.uniform(0.88, 1.12)
        whole, left, given = sum(busy.values()), 0.0, 0
        for day, share in busy.items():
            left += subjects * share / whole
            number = round(left) - given if day < figures.last else subjects - given
            given += number
            yield day, self.instants(day, number)

    def instants(self, day: int, number: int) -> list[int]:
        hours = [hour for hour in range(24) if day * DAY + hour * 3600 + 900 < self.now] or [0]
        drawn = self.chance.choices(hours, [HOURS[hour] for hour in hours], k=number)
        latest = self.now - 600
        return sorted(min(day * DAY + hour * 3600 + self.chance.randrange(3600), latest) for hour in drawn)

    # -------------------------------------------------------------------------------------------------------- lives
    def life(self, came: int) -> Life:
        chance = self.chance
        engine = HERE if chance.random() < 0.68 else THERE
        contract = chance.choices(list(self._contracts), list(self._contracts.values()))[0]
        uploaded = came - chance.randrange(15, 150)
        runs = [self.run(came, engine)]
        while len(runs) < 3 and chance.random() < 0.2 and runs[-1].ended + 900 < self.now:
            runs.append(self.run(runs[-1].ended + chance.randrange(20, 400), engine))
        draw = chance.random()
        extras = (CopyKind.CLOTHING,) if draw < 0.05 else (CopyKind.BACKDROP,) if draw < 0.12 else ()
        life = Life(came, uploaded, engine, contract, runs, extras)
        draw = chance.random()
        at = runs[-1].ended + int(chance.expovariate(1 / 5_400)) + 30
        if draw < 0.13:
            life.wish = at if at < min(self.now, self.erase_by(life)) - 60 else None
        elif draw < 0.19:
            self._shorten(life, at)
        return life

    def _shorten(self, life: Life, at: int) -> None:
        """To a clock that has not run out by then."""
        chosen = self._terms.keep_for(life.chosen)
        shorter = [one for one in self._contracts if one is not Contract.PROCESS and self._terms.keep_for(one) < chosen]
        if shorter and at < self.now:
            life.shortened = self.chance.choice(shorter), at
            if self.erase_by(life) < at + 60:
                life.shortened = None

    def run(self, created: int, engine: str) -> Run:
        chance = self.chance
        is_away = engine == THERE and created // DAY in self._outages
        variants = chance.choices((1, 2, 3, 4), (14, 22, 24, 40))[0]
        wait = int(chance.lognormvariate(0.2 if engine == HERE else 0.6, 0.9))
        took = chance.lognormvariate(1.4 + 0.18 * variants, 0.35) if engine == HERE else chance.lognormvariate(3.4, 0.4)
        draw = chance.random()
        fails = (0.6 if is_away else 0.05) if engine == THERE else 0.035
        state, failure = RunState.READY, None
        if draw < fails:
            codes = AWAY if is_away else FAILS[engine]
            state, failure = RunState.FAILED, chance.choices(list(codes), list(codes.values()))[0]
            took *= 2.5 if failure == "provider_slow" else 0.5
        elif draw < fails + 0.015:
            state, took = RunState.CANCELLED, took * 0.4
        started = created + wait
        return Run(created, started, started + max(1, round(took)), state, failure, variants)

    def erase_by(self, life: Life) -> int:
        """When all of it goes by the clock."""
        if life.contract is Contract.PROCESS:
            return life.runs[-1].ended + int(PROCESS_HEADSHOTS_KEPT.total_seconds())
        return life.uploaded + int(self._terms.clock(life.contract).total_seconds())

    # -------------------------------------------------------------------------------------------------------- as rows
    def live(self, came: int) -> None:
        """Somebody came, and was counted."""
        life = self.life(came)
        self.tell(life)
        self.visited(life)

    def visited(self, life: Life) -> None:
        ready = sum(run.variants for run in life.runs if run.state is RunState.READY)
        took_along = ready > 0 and self.chance.random() < 0.84
        steps = 6 if took_along else 5 if ready else 4
        self.figures.visit(life.came, steps, self.chance, downloads=self.chance.randint(1, 3) if took_along else 0)

    def tell(self, life: Life) -> list[Kept]:
        """Everything that is known of a person, as rows. The copies."""
        subject, by = self.new_id(), self.erase_by(life)
        life.ids["subject"] = subject
        reason = EraseReason.CONTRACT
        if life.wish is not None and life.wish < by:
            by, reason = life.wish, EraseReason.ASKED
        uploads_by, uploads_reason = by, reason
        if life.contract is Contract.PROCESS and life.runs[-1].ended < by:
            uploads_by, uploads_reason = life.runs[-1].ended, EraseReason.RUN_OVER
        uploads = [
            self.copy(subject, kind, life, life.came, uploads_by, uploads_reason)
            for kind in (CopyKind.PORTRAIT, *life.extras)
        ]
        if life.shortened:
            self.figures.count(Metric.SHORTENED, life.contract.value, at=life.shortened[1])
        made = [(run, self.generation(life, subject, run, uploads, by)) for run in life.runs]
        kept = [*uploads]
        for run, run_id in made:
            if run.state is RunState.READY:
                kept += self.headshots(life, subject, run, run_id, by, reason)
        self.subject(subject, life, kept)
        self.writer.rest()
        return kept

    def subject(self, subject: str, life: Life, kept: Sequence[Kept]) -> None:
        over = [copy.gone for copy in kept if copy.gone is not None]
        is_over = len(over) == len(kept)
        key, ended = (None, self.stamp(max(over))) if is_over else (b"demo", None)
        came = self.stamp(life.came)
        self.writer.add("subject", subject, came, key, ended, False, True)
        self.writer.add("consent", self.new_id(), subject, came, self._policy, True, True)

    def copy(
        self, subject: str, kind: CopyKind, life: Life, created: int, by: int, reason: EraseReason, ratio: str = "4:5"
    ) -> Kept:
        chance, stamp = self.chance, self.stamp
        copy_id, width, height = self.new_id(), *SIDES.get(ratio, SIDES["4:5"])
        size = int(chance.lognormvariate(13.2, 0.35))
        erased = gone = evidence = None
        if life.trouble:
            erased = by + 3 if life.trouble == "unproved" else None
        elif (swept := by + chance.randrange(2, 58)) + 8 < self.now:
            erased, gone, evidence = swept, swept + chance.randrange(1, 7), self.new_id()
            self.writer.add("evidence", evidence, copy_id, stamp(gone), "absent", "absent")
            self.figures.count(Metric.ERASED, kind.value, reason.value, at=gone)
            self.figures.took(Metric.GONE_TOOK, reason.value, gone - by, at=gone)
        answer = _ANSWERS.get(life.trouble)
        key = f"{WORD}{self._numbers:036x}"
        self.writer.add(
            "copy", copy_id, subject, kind.value, "vault", key, "image/jpeg", width, height, size, stamp(created),
            stamp(created), stamp(by), reason.value, erased and stamp(erased), life.probes if answer else 0, answer,
            stamp(self.now + 1_200) if answer else None, gone and stamp(gone), evidence,
        )  # fmt: skip
        self.figures.lay(kind.value, size, created, gone)
        self.assets += 1
        return Kept(copy_id, key, kind, size, erased, gone)

    def generation(self, life: Life, subject: str, run: Run, uploads: Sequence[Kept], by: int) -> str:
        chance, stamp, figures = self.chance, self.stamp, self.figures
        run_id, purpose = self.new_id(), chance.choices(self._purposes, PURPOSES[: len(self._purposes)])[0]
        life.ids[run_id] = purpose.ratio
        style = chance.choices(self._styles, STYLES[: len(self._styles)])[0].id
        extra = {copy.kind: copy.id for copy in uploads}
        backdrop = "own" if CopyKind.BACKDROP in extra else chance.choice(self._backdrops[:-1])
        self.writer.add(
            "generation", run_id, self.number("G"), run_id, subject, uploads[0].id, extra.get(CopyKind.CLOTHING),
            extra.get(CopyKind.BACKDROP), life.engine, purpose.id, purpose.ratio, purpose.long_side, style, backdrop,
            run.variants, 1.0, life.contract.value, stamp(life.uploaded), stamp(by), stamp(run.created),
            stamp(run.started), stamp(run.ended), run.state.value, run.failure, run.state is RunState.READY,
        )  # fmt: skip
        outcome = run.failure or run.state.value
        figures.count(Metric.RUN_STYLE, style, at=run.created)
        figures.count(Metric.RUN_PURPOSE, purpose.id, at=run.created)
        figures.count(Metric.RUN_CONTRACT, life.chosen.value, at=run.created)
        if run is not life.runs[0]:
            figures.count(Metric.AGAIN, at=run.created)
        figures.count(Metric.RUN, life.engine, outcome, at=run.ended)
        figures.took(Metric.QUEUE_WAIT, life.engine, run.started - run.created, at=run.started)
        if run.state is RunState.READY:
            self.timed(life.engine, run)
        return run_id

    def timed(self, engine: str, run: Run) -> None:
        figures, took = self.figures, run.ended - run.created
        figures.took(Metric.TOOK, engine, took, at=run.ended)
        for stage, share in STAGES[engine].items():
            seconds = (run.ended - run.started) * share / 100
            figures.took(Metric.STAGE_TOOK, f"{engine}.{stage}", seconds, at=run.ended)
        figures.count(Metric.HEADSHOT, engine, at=run.ended, n=run.variants)
        if engine == THERE:
            cost = PRICE * run.variants
            figures.count(Metric.COST, engine, at=run.ended, n=cost)
            figures.took(Metric.RUN_COST, engine, cost / 10_000, at=run.ended)

    def headshots(self, life: Life, subject: str, run: Run, run_id: str, by: int, reason: EraseReason) -> list[Kept]:
        kept = []
        for variant in range(1, run.variants + 1):
            copy = self.copy(subject, CopyKind.HEADSHOT, life, run.ended, by, reason, life.ids[run_id])
            self.writer.add("headshot", run_id, variant, copy.id)
            if life.engine == THERE and run.ended > self.now - ELSEWHERE_SHOWN:
                self.elsewhere(subject, run, run_id, variant)
            kept.append(copy)
        return kept

    def elsewhere(self, subject: str, run: Run, run_id: str, variant: int) -> None:
        """What the third party had of it, for a day; then it was looked for until it was refused twice."""
        stamp, chance, task_id = self.stamp, self.chance, f"{run_id}-{variant}"
        began, ended, ends = stamp(run.started), stamp(run.ended), run.ended + DAY
        self.writer.add(
            "provider_task", task_id, run_id, variant, THERE, MODEL, "", "upload", ProviderTaskState.KEPT.value, began,
            began, began, ended, ended, 3, 0, 0, PRICE, None,
        )  # fmt: skip
        was_open = chance.random() < 0.02
        refused = ends + (chance.randrange(7_000, 90_000) if was_open else chance.randrange(5, 600))
        gone = refused + 900 + chance.randrange(30)
        is_gone, is_over = gone < self.now, ends < self.now
        opened = stamp(ends + 4) if was_open and is_over else None
        asked = stamp(gone if is_gone else ends + 5) if is_over else None
        answer = ("absent" if is_gone else "present" if opened else "unknown") if is_over else None
        self.writer.add(
            "provider_copy", self.new_id(), subject, run_id, task_id, THERE, ProviderCopyKind.RESULT.value,
            f"{WORD}:{task_id}", ended, stamp(ends), "provider", stamp(gone if is_gone else max(ends, self.now + 600)),
            2 if is_gone else int(is_over), answer, asked, opened, stamp(refused) if is_gone else None,
            stamp(gone) if is_gone else None,
        )  # fmt: skip


_ANSWERS: Final = {"blocked": "storage could not be reached", "unproved": "a listing still shows it"}


def _outages(first: int, last: int) -> frozenset[int]:
    """Days on which the third party was out of order: three of the last week, and before that three of each quarter."""
    days = {last - 4, last - 3, last - 2}
    for middle in range(last - 60, first, -91):
        days |= {middle, middle + 1, middle + 2}
    return frozenset(days)


def seconds(at: datetime) -> int:
    return int(at.timestamp())


def ago(now: int, **length: float) -> int:
    return now - int(timedelta(**length).total_seconds())
