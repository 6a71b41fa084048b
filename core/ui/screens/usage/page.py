"""The whole of the usage page, made of one report."""

from datetime import datetime

from core.services import Services
from core.ui import charts, widgets
from core.ui.screens.usage import cells, frame, glance, picker, questions
from core.ui.screens.usage.frame import Page
from core.usage import anomalies, reports
from core.usage.reports import Report

NOT_COUNTED = (
    "Whoever opted out on My photos, or whose browser asks for it (Global Privacy Control, Do Not Track), is not "
    "counted at all. How many those are, nobody knows: it is not counted either."
)
WHY_HIDDEN = (
    "Numbers from 1 to {last} are not shown but hatched, as <{k}: so few could point at somebody.",
    "Where such a number could be worked out from a total and those beside it, one more of them is kept back, as –.",
    "What a hidden number is made of is hidden too.",
    "Times and costs are shown where at least {k} were measured, and to the bound of their class.",
    "Months are whole, so that no two periods give away the days between them.",
    "Files, tables and mails hold these same numbers: nothing hidden is anywhere in them.",
)


def usage(svc: Services, now: datetime) -> None:
    look = picker.pick(svc, now)
    report = reports.report(svc, look.period, engine=look.engine, now=now)
    page = Page(report, look, charts.theme())
    if report.demo:
        remove = widgets.el("code", "python -m core demo --remove")
        widgets.show(widgets.note(widgets.join([f"{frame.DEMO} ", remove, " takes it away."]), "due"))
    _of_when(report, look)
    if not _was_anything_counted(report):
        widgets.show(widgets.note(f"Nothing was counted yet in {look.period.label}."))
        _small_print(svc)
        questions.costs(svc, page)
        return
    if look.period.last >= now.date().replace(day=1):
        glance.unusual(anomalies.lately(svc, now=now))
    glance.figures(report)
    _small_print(svc)
    questions.answer(svc, page, questions.asked())


def _of_when(report: Report, look: picker.Look) -> None:
    all_of_it = widgets.DownloadLink(
        label="CSV", href=frame.csv_of(look), filename="workshot-usage.csv", detail="all tables"
    )
    says = f"Compared with {report.before.label}. All days and hours are UTC."
    when = widgets.el("div", widgets.el("h2", report.period.label), widgets.quiet(says))
    widgets.show(widgets.el("div", when, widgets.links([all_of_it]), class_="ws-usage-when"))


def _small_print(svc: Services) -> None:
    k = svc.settings.small_count
    lines = [*(line.format(k=k, last=k - 1) for line in WHY_HIDDEN), NOT_COUNTED]
    widgets.show(frame.folded("Why some numbers are hidden, and who is not counted", widgets.points(lines)))


def _was_anything_counted(report: Report) -> bool:
    return any(cells.has_something(table) for table in report.tables.values())
