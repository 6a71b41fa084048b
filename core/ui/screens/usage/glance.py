"""Above the charts: what is out of the ordinary, in words, and the key figures, each with the period before."""

from collections.abc import Sequence
from datetime import date

from core.provider.spending import MILLION
from core.ui import charts, widgets
from core.ui.screens.usage import cells, frame
from core.usage.anomalies import Anomaly
from core.usage.publishing import Shown
from core.usage.reports import Kpi, Report

BARS = 24  # in a little picture


def figures(report: Report) -> None:
    widgets.show(widgets.figures(*(_figure(kpi) for kpi in report.kpis)), _explained(report))


def _figure(kpi: Kpi) -> widgets.Html:
    number, unit = _number(kpi)
    return widgets.key_figure(
        number, kpi.title, unit=unit, change=kpi.change, trend=_trend(kpi.trend), trend_says=_in_words(kpi)
    )


def _number(kpi: Kpi) -> tuple[str, str]:
    """The number, and its unit apart where it is written behind."""
    if isinstance(kpi.value, Shown) or kpi.value is None:
        text = cells.text(kpi.value)
        return text, "%" if kpi.unit == "%" and text not in ("–",) else ""
    said = cells.number(kpi.value, kpi.unit)
    return (said.removesuffix(" %"), "%") if kpi.unit == "%" else (said, "")


def _trend(trend: Sequence[tuple[date, Shown]]) -> list[float | None]:
    """None: hidden. Where there are more than fit, neighbours share one; a point alone is no trend."""
    if sum(shown.n is not None for _, shown in trend) < 2:
        return []
    points = [cells.point(shown) for _, shown in trend]
    return [None if one.hidden else one.value or 0 for one in charts.thinned(points, BARS, _mean)]


def _mean(points: Sequence[charts.Point]) -> charts.Point:
    """Of those that are known: shares and times do not add up, and a last group may be a short one."""
    known = [one.value for one in points if one.value is not None]
    return charts.Point(sum(known) / len(known) if known else None, hidden=not known)


def _in_words(kpi: Kpi) -> str:
    known = [(day, shown.n) for day, shown in kpi.trend if shown.n is not None]
    if not known:
        return f"{kpi.title}: too few to show how it went."
    day, most = max(known, key=lambda one: one[1])
    said = cells.number(most / MILLION if kpi.unit == "USD" else most, kpi.unit)
    first, last, when = (cells.word(f"{each}") for each in (kpi.trend[0][0], kpi.trend[-1][0], day))
    return f"{kpi.title} from {first} to {last}: most {said} on {when}."


def _explained(report: Report) -> widgets.Html:
    said = widgets.facts([(kpi.title, kpi.says) for kpi in report.kpis])
    return frame.folded("What these figures count, and how", said)


def unusual(found: Sequence[Anomaly]) -> None:
    if found:
        widgets.show(widgets.told([("due", anomaly.says) for anomaly in found]))
