"""How fast is it?"""

from collections.abc import Iterator
from typing import Final

from core.usage.metrics import Metric
from core.usage.reports.rows import HOW, OF, by_engine, table, times
from core.usage.reports.shape import Row
from core.usage.reports.view import View


@table("latency", "Time to the headshots", ("engine", *OF), f"From the button to the last one, ready runs. {HOW}", "s")
def _latency(view: View) -> Iterator[Row]:
    yield from by_engine(view, Metric.TOOK)


@table("queue_wait", "Waiting for a start", ("engine", *OF), f"From the button to the start of a run. {HOW}", "s")
def _queue_wait(view: View) -> Iterator[Row]:
    yield from by_engine(view, Metric.QUEUE_WAIT)


@table("stages", "Stages of a run", ("engine", "stage", *OF), f"How long ready runs were in each stage. {HOW}", "s")
def _stages(view: View) -> Iterator[Row]:
    for name in view.what.timed(Metric.STAGE_TOOK):
        engine, _, stage = name.partition(".")
        if view.engine in (None, engine):
            yield engine, stage, *times(view, Metric.STAGE_TOOK, name)


TABLES: Final = (_latency, _queue_wait, _stages)
