"""
What operators fetch by address: their way in, files of what their pages show, a look that somebody else has allowed.

Whoever may not see it finds nothing there. A file is told of in the audit log before the first byte of it leaves.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from core import audit, operators
from core.errors import NotAllowed, NotFound
from core.guard import new_session, same_origin, set_staff_cookie, staff_hash_of
from core.models import Role
from core.operators import Operator
from core.services import Services
from core.web.answers import PRIVATE, as_picture, attached, is_ours, nothing_here, operator_of, or_404, plainly

CSV: Final = "text/csv; charset=utf-8"
FORMS: Final = {"csv": CSV, "jsonl": "application/x-ndjson"}
"""Of the audit log."""
STAFF_PAGE = PRIVATE | {"referrer-policy": "strict-origin", "x-robots-tag": "noindex"}
"""A form's Origin is only sent along where the page may say where it comes from; its address stays unsaid."""


class ForOperators:
    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def door(self, request: Request) -> Response:
        """What a sign-in link opens: a button. Looks nothing up and changes nothing, since scanners open links."""
        return _staff_page("Sign in", "This link signs you in once, in this browser, for twelve hours.", button=True)

    def sign_in(self, request: Request) -> Response:
        token = new_session()
        secure = request.scope["scheme"] == "https" or self._services().settings.secure
        if not same_origin(request.headers.raw, secure=secure):
            return _staff_page("Not signed in", "Open the link itself, and press its button there.", status=403)
        try:
            operators.open_link(self._services(), request.path_params["token"], staff_hash_of(token))
        except NotFound:
            return _staff_page("This link is over", "It was used already, or is older than ten minutes.", status=404)
        response = RedirectResponse("/ops_audit", status_code=303, headers=STAFF_PAGE)
        set_staff_cookie(response, request.scope, token)
        return response

    def audit_export(self, request: Request) -> Response:
        """The filtered audit log as CSV or JSON lines, for those who may see its page."""
        svc, form = self._services(), request.path_params["form"]
        who = operator_of(request, svc)
        if who is None or form not in FORMS:
            return nothing_here()
        try:
            which = audit.Filter.of_words(request.query_params)
        except ValueError:
            return nothing_here()
        now = svc.clock()
        _tell(svc, who, audit.Action.AUDIT_EXPORTED, now, form=form, filters=which.count)
        lines = _csv_lines(audit.matching(svc, which)) if form == "csv" else _json_lines(audit.matching(svc, which))
        return _file(lines, f"workshot-audit-{now:%Y%m%d-%H%M}.{form}", FORMS[form])

    def retention_export(self, request: Request) -> Response:
        """A queue of the retention page as CSV, for those who may see it: ids and clocks, nobody's pictures."""
        from core import backlog  # nothing that a start has to wait for

        svc = self._services()
        who = operator_of(request, svc)
        if who is None:
            return nothing_here()
        try:
            wanted = backlog.Wanted.of_words(request.query_params)
        except ValueError:
            return nothing_here()
        now, queue, filters = svc.clock(), wanted.queue.value, len(wanted.as_words()) - 1
        _tell(svc, who, audit.Action.RETENTION_EXPORTED, now, queue=queue, filters=filters)
        lines = _csv_of(backlog.COLUMNS, map(backlog.as_row, backlog.matching(svc, wanted)))
        return _file(lines, f"workshot-{queue}-{now:%Y%m%d-%H%M}.csv")

    def requests_export(self, request: Request) -> Response:
        """The register of requests as the desk lists it, for those who may see it: numbers, no words."""
        from core.requests import export  # nothing that a start has to wait for

        svc = self._services()
        who = operator_of(request, svc)
        if who is None:
            return nothing_here()
        try:
            which = export.of_words(request.query_params)
        except ValueError:
            return nothing_here()
        now = svc.clock()
        _tell(svc, who, audit.Action.REQUESTS_EXPORTED, now, filters=len(export.as_words(which)))
        lines = _csv_of(export.COLUMNS, export.rows(svc, which, now))
        return _file(lines, f"workshot-requests-{now:%Y%m%d-%H%M}.csv")

    def usage_export(self, request: Request) -> Response:
        """A table of the usage page, or all of them, for founders: the numbers that the page shows and no others."""
        from core.usage import reports  # nothing that a start has to wait for
        from core.usage.periods import Period

        svc, words = self._services(), request.query_params
        who = operator_of(request, svc)
        table = words.get("table", reports.ALL)
        if who is None or who.role is not Role.FOUNDER or table not in (reports.ALL, *reports.TABLES):
            return nothing_here()
        try:
            period = Period.of_words(words)
        except NotAllowed as exc:
            return plainly(str(exc), 400)
        now = svc.clock()
        told = reports.report(svc, period, engine=words.get("engine") or None, now=now)
        _tell(svc, who, audit.Action.USAGE_EXPORTED, now, table=table, months=period.length)
        name = f"workshot-usage-{table.replace('_', '-')}-{'-'.join(period.as_words().values())}.csv"
        return _file(_csv_of(*reports.as_rows(told, table)), name)

    def glass(self, request: Request) -> Response:
        """A reported image, small and marked, for the operator who asked and whom another one has allowed to look. What
        merely asks whether it is there, and what another site asks for, is no look."""
        from core.abuse import glass  # draws: nothing that a start has to wait for

        svc = self._services()
        who = operator_of(request, svc)
        if who is None or request.method != "GET" or not is_ours(request):
            return nothing_here()
        return or_404(lambda: as_picture(glass.look(svc, who, request.path_params["view_id"]), "image/jpeg"))


def _tell(svc: Services, who: Operator, action: audit.Action, at: datetime, **facts: audit.Fact) -> None:
    with svc.transaction() as session:
        audit.record(session, action, who.id, at=at, actor=who.actor, **facts)


def _file(lines: Iterator[str], name: str, media_type: str = CSV) -> Response:
    return StreamingResponse(lines, media_type=media_type, headers=attached(name))


def _staff_page(title: str, says: str, *, button: bool = False, status: int = 200) -> Response:
    form = '<form method="post"><button class="ws-button ws-primary" type="submit">Sign in</button></form>'
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>WorkShot · {title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/assets/workshot.css"></head><body class="ws-door"><main class="ws-stack">'
        f"<h1>{title}</h1><p>{says}</p>{form if button else ''}</main></body></html>"
    )
    return HTMLResponse(page, status_code=status, headers=STAFF_PAGE)


def _json_lines(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(row, separators=(",", ":")) + "\n" for row in rows)


def _csv_lines(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    written = (row | {"facts": json.dumps(row["facts"], sort_keys=True, separators=(",", ":"))} for row in rows)
    return _csv_of(audit.ENTRY_COLUMNS, ([row[name] for name in audit.ENTRY_COLUMNS] for row in written))


def _csv_of(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(row)
        if line.tell() > 32_000:
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()
