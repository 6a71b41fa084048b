"""
The HTTP routes beside Streamlit: images, downloads, previews, our own assets, health and metrics.

An image is served only to the browser that has its subject open, and the cookie is looked at on every request.
Foreign, erased and unknown ids get the same 404. Nothing private may be cached by anyone.
"""

import base64
import csv
import hmac
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import ip_address
from typing import Any

from sqlmodel import Session, col, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from core import (
    access,
    audit,
    catalogue,
    copies,
    generations,
    jobs,
    marks,
    operators,
    pictures,
    policy,
    preferences,
    retention,
)
from core.drafts import DraftKind
from core.errors import NotAllowed, NotFound, StorageUnavailable, WorkShotError
from core.guard import (
    Counted,
    new_session,
    same_origin,
    session_hash,
    set_count_cookie,
    set_preferences_cookie,
    set_staff_cookie,
    staff_hash,
    staff_hash_of,
    visitor_of,
)
from core.language import _
from core.marks import Marks
from core.models import Copy, CopyKind, Generation, HeadshotRow, ProviderTask, Receipt, Role
from core.ports import Framing
from core.services import Services
from core.settings import ROOT
from core.usage import funnel
from core.usage.metrics import Metric

PRIVATE = {"cache-control": "private, no-store", "cross-origin-resource-policy": "same-origin"}
DAY, MINUTES = "public, max-age=86400", "public, max-age=300"


def routes(services: Callable[[], Services]) -> list[BaseRoute]:
    """`services` is asked at each request: the app is put together before they exist."""
    web = _Web(services)
    return [
        Route("/healthz", web.health),
        Route("/metrics", web.metrics),
        Route("/img/{copy_id}", web.image),
        Route("/before/{generation_id}", web.before),
        Route("/preview/{generation_id}", web.preview),
        Route("/zip/{generation_id}", web.archive),
        Route("/draft/{draft_id}", web.draft),
        Route("/export/{copy_id}", web.export),
        Route("/handover/{secret}/photo.jpg", web.hand_over),
        Route("/receipt/{receipt_id}.json", web.receipt_file),
        Route("/receipt/{receipt_id}", web.receipt_page),
        Route("/receipt-key", web.receipt_keys),
        Route("/receipt-format", web.receipt_format),
        Route("/.well-known/privacy.json", web.policy_for_machines),
        Route("/.well-known/security.txt", web.security_txt),
        Route("/counting/{choice}", web.count_choice, methods=["POST"]),
        Route("/preferences", web.set_preferences, methods=["POST"]),
        Route("/staff/{token}", web.staff_door, methods=["GET"]),
        Route("/staff/{token}", web.staff_sign_in, methods=["POST"]),
        Route("/ops/audit.{form}", web.audit_export, methods=["GET"]),
        Route("/ops/retention.csv", web.retention_export, methods=["GET"]),
        Route("/ops/requests.csv", web.requests_export, methods=["GET"]),
        Route("/ops/usage.csv", web.usage_export, methods=["GET"]),
        Route("/ops/glass/{view_id}", web.glass, methods=["GET"]),
        Mount("/assets", _Assets(directory=ROOT / "core" / "ui" / "assets")),
        Mount("/pictures", _Assets(directory=ROOT / "data" / "pictures")),
    ]


class _Assets(StaticFiles):
    """Files of ours, the same for everyone."""

    def file_response(self, full_path, stat_result, scope, status_code=200):  # type: ignore[no-untyped-def]
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = DAY
        return response


class _Web:
    """The handlers. Plain functions run in a thread each, so that decoding a picture holds up nobody."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    # ------------------------------------------------------------------------------------------------- pictures
    def image(self, request: Request) -> Response:
        """`?w=400` for a smaller one, `?dl=1` to download."""
        svc = self._services()

        def found() -> Response:
            with svc.reading() as session:
                copy = access.may_read(session, _session(request), request.path_params["copy_id"], svc.clock())
                if copy.kind is CopyKind.EXPORT:
                    raise NotFound(_("There is no such image."))
                name, run = _what_it_is(session, copy)
                signed = _marks_of(svc, session, copy, run)
            data = copies.read(svc, copy.id)
            size = _wanted_size(request, copy, run)
            if size != (copy.width, copy.height):
                data = pictures.smaller(data, size, otherwise=signed)
            kind = pictures.media_type(data)
            file_name = f"{name}-{size[0]}x{size[1]}.{pictures.ending(kind)}"
            if "dl" in request.query_params and run is not None:
                _count_download(svc, request, "original" if size == (copy.width, copy.height) else "smaller")
            return _picture(data, kind, download=file_name if "dl" in request.query_params else None)

        return _or_404(found)

    def before(self, request: Request) -> Response:
        """The photo as it was, in the frame of the run's headshots."""
        svc = self._services()

        def found() -> Response:
            with svc.reading() as session:
                run = access.own_run(session, _session(request), request.path_params["generation_id"])
                access.may_read(session, _session(request), run.portrait_id, svc.clock())
            data = svc.framer.before(
                copies.read(svc, run.portrait_id),
                ratio=run.ratio,
                framing=Framing(zoom=run.zoom, turns=run.turns),
                long_side=_number(request, "w", 240, 1200, 900),
            )
            return _picture(data, "image/jpeg")

        return _or_404(found)

    def draft(self, request: Request) -> Response:
        """A photo that is not stored yet, framed as the run would frame it."""
        svc = self._services()

        def found() -> Response:
            draft = svc.drafts.find(_session(request), request.path_params["draft_id"])
            if draft.kind is not DraftKind.PORTRAIT:
                size = pictures.fitted((draft.photo.width, draft.photo.height), 480)
                return _picture(pictures.smaller(draft.photo.data, size), "image/jpeg")
            return self._preview(request, svc, draft.photo.data)

        return _or_404(found)

    def preview(self, request: Request) -> Response:
        """A stored photo, framed as another run would frame it."""
        svc = self._services()

        def found() -> Response:
            with svc.reading() as session:
                run = access.own_run(session, _session(request), request.path_params["generation_id"])
                access.may_read(session, _session(request), run.portrait_id, svc.clock())
            return self._preview(request, svc, copies.read(svc, run.portrait_id))

        return _or_404(found)

    def _preview(self, request: Request, svc: Services, portrait: bytes) -> Response:
        ratio = request.query_params.get("ratio", "")
        if ratio not in {purpose.ratio for purpose in catalogue.catalogue().purposes}:
            raise NotFound(_("There is no such picture."))
        turns = _number(request, "turns", 0, 3, -1)
        framing = Framing(zoom=_number(request, "zoom", 70, 150, 100) / 100, turns=None if turns < 0 else turns)
        return _picture(svc.framer.preview(portrait, ratio=ratio, framing=framing), "image/jpeg")

    def archive(self, request: Request) -> Response:
        """All headshots of a run, in all sizes of its purpose."""
        svc = self._services()

        def found() -> Response:
            with svc.reading() as session:
                run = generations.view(session, _session(request), request.path_params["generation_id"], svc.clock())
                signed = {copy.id: _marks_of(svc, session, copy, run.run) for copy in run.headshots}
            if not run.headshots:
                raise NotFound(_("There is no such run."))
            purpose = catalogue.catalogue().purpose(run.run.purpose)
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
                for number, copy in enumerate(run.headshots, 1):
                    data, made = copies.read(svc, copy.id), (copy.width, copy.height)
                    for size in pictures.downloads(purpose, made):
                        whole = size == made
                        picture = data if whole else pictures.smaller(data, size, otherwise=signed[copy.id])
                        ending = pictures.ending(pictures.media_type(picture))
                        entry = zipfile.ZipInfo(f"headshot-{number}-{size[0]}x{size[1]}.{ending}")
                        archive.writestr(entry, picture)
            name = f"headshots-{run.run.purpose}-{run.run.number}.zip"
            _count_download(svc, request, "all")
            return Response(packed.getvalue(), media_type="application/zip", headers=_attached(name))

        return _or_404(found)

    def export(self, request: Request) -> Response:
        """A file of somebody's copy of their data, for nobody else."""
        from core import exports

        svc = self._services()

        def found() -> Response:
            with svc.reading() as session:
                file = exports.file_of(session, _session(request), request.path_params["copy_id"], svc.clock())
            data = copies.read(svc, file.copy_id)
            return Response(data, media_type="application/zip", headers=_attached(file.name))

        return _or_404(found)

    def hand_over(self, request: Request) -> Response:
        """A picture for the provider that a person has chosen: once. Whatever goes wrong, there is nothing here."""
        from core.provider import links

        if request.method != "GET":  # who only asks whether it is there does not use it up
            return _nothing_here()
        try:
            picture = links.serve(self._services(), request.path_params["secret"])
        except WorkShotError:
            return _nothing_here()
        return _picture(picture, "image/jpeg")

    # ------------------------------------------------------------------------------------------------- receipts
    def receipt_file(self, request: Request) -> Response:
        """A receipt as it is signed, for its owner and for operators."""
        from core import receipts

        def found() -> Response:
            receipt = self._receipt(request)
            name = f"workshot-receipt-{receipt.number}.json"
            return Response(receipts.as_file(receipt), media_type="application/json", headers=_attached(name))

        return _or_404(found)

    def receipt_page(self, request: Request) -> Response:
        """The same to print. What is not as it was signed is not shown."""
        from core import receipts

        def found() -> Response:
            receipt = self._receipt(request)
            verdict = receipts.verify(receipts.as_file(receipt), public_keys=self._services().signer.public_keys)
            if verdict.statement is None:
                return Response(verdict.says, status_code=500, media_type="text/plain", headers=PRIVATE)
            page = receipts.page_html(verdict.statement, file=f"/receipt/{receipt.id}.json")
            return HTMLResponse(page, headers=PRIVATE | {"x-robots-tag": "noindex"})

        return _or_404(found)

    def _receipt(self, request: Request) -> Receipt:
        """Raises NotFound alike for a foreign one and for none."""
        from core import receipts

        svc, receipt_id = self._services(), request.path_params["receipt_id"]
        who = operators.signed_in(svc, staff_hash=staff_hash(request.scope), session_hash=session_hash(request.scope))
        with svc.reading() as session:
            if who is None:
                return receipts.own(session, _session(request), receipt_id)
            if receipt := session.get(Receipt, receipt_id):
                return receipt
        raise NotFound(_("There is no such receipt."))

    def receipt_keys(self, request: Request) -> Response:
        """The public keys, the one in use and those that signed before: all that checking a receipt needs."""
        signer = self._services().signer
        keys = [
            {"key_id": key_id, "public_key": base64.b64encode(key).decode(), "in_use": key_id == signer.key_id}
            for key_id, key in signer.public_keys.items()
        ]
        return JSONResponse({"algorithm": "Ed25519", "keys": keys}, headers={"cache-control": "no-store"})

    def receipt_format(self, request: Request) -> Response:
        """How a receipt is written, so that anybody can write a verifier."""
        text = (ROOT / "data" / "receipt_format.md").read_text("utf-8")
        return Response(text, media_type="text/plain; charset=utf-8", headers={"cache-control": DAY})

    def policy_for_machines(self, request: Request) -> Response:
        """The policy in force: text, numbers, how each promise stands. The same for everybody."""
        from core.policy import published

        svc = self._services()
        said = published.machine_readable(svc, policy.of(svc), svc.clock())
        return JSONResponse(said, headers={"cache-control": MINUTES})

    def security_txt(self, request: Request) -> Response:
        """Whom to tell of a hole, where somebody can be told."""
        from core.policy import published

        svc = self._services()
        text = published.security_txt(svc.settings.privacy_contact, svc.settings.public_url, svc.clock())
        if text is None:
            return _nothing_here()
        return Response(text, media_type="text/plain; charset=utf-8", headers={"cache-control": MINUTES})

    # ------------------------------------------------------------------------------------------------- counting
    def count_choice(self, request: Request) -> Response:
        """Whether this browser is counted, as its person has just said on My photos. Only a cookie remembers it."""
        svc, choice = self._services(), request.path_params["choice"]
        offered = {Counted.NO, Counted.YES} | ({Counted.GA} if svc.settings.ga4_measurement_id else set())
        if choice not in offered:
            return _nothing_here()
        if not _comes_from_here(request):
            return Response(
                _("Press the button on My photos."), status_code=403, media_type="text/plain", headers=PRIVATE
            )
        who = session_hash(request.scope)
        if choice == Counted.NO and who is not None:
            access.stop_counting(svc, who)
        response = RedirectResponse("/my_photos", status_code=303, headers=PRIVATE)
        set_count_cookie(response, request.scope, Counted(choice))
        return response

    async def set_preferences(self, request: Request) -> Response:
        """What this browser prefers from now on, as its person has just said; then back to where they said it."""
        if not _comes_from_here(request):
            return _plainly(_("Press the button on one of our pages."), 403)
        try:
            said = preferences.of_form(await request.body())
            before, terms = visitor_of(request.scope).preferences, self._services().settings.terms
            wanted = said.on_top_of(before, offered=terms.offered)
        except ValueError:
            return _plainly(_("This cannot be chosen here."), 400)
        response = RedirectResponse(f"/{said.back}", status_code=303, headers=PRIVATE)
        set_preferences_cookie(response, request.scope, wanted)
        return response

    # ------------------------------------------------------------------------------------------------ operators
    def staff_door(self, request: Request) -> Response:
        """What a sign-in link opens: a button. Looks nothing up and changes nothing, since scanners open links."""
        return _staff_page("Sign in", "This link signs you in once, in this browser, for twelve hours.", button=True)

    def staff_sign_in(self, request: Request) -> Response:
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
        who = operators.signed_in(svc, staff_hash=staff_hash(request.scope), session_hash=session_hash(request.scope))
        if who is None or form not in ("csv", "jsonl"):
            return _nothing_here()
        try:
            which = audit.Filter.of_words(request.query_params)
        except ValueError:
            return _nothing_here()
        exported, now = audit.Action.AUDIT_EXPORTED, svc.clock()
        with svc.transaction() as session:
            audit.record(session, exported, who.id, at=now, actor=who.actor, form=form, filters=which.count)
        lines = _csv_lines(audit.matching(svc, which)) if form == "csv" else _json_lines(audit.matching(svc, which))
        kind = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
        name = f"workshot-audit-{svc.clock():%Y%m%d-%H%M}.{form}"
        return StreamingResponse(lines, media_type=kind, headers=_attached(name))

    def retention_export(self, request: Request) -> Response:
        """A queue of the retention page as CSV, for those who may see it: ids and clocks, nobody's pictures."""
        from core import backlog  # nothing that a start has to wait for

        svc = self._services()
        who = operators.signed_in(svc, staff_hash=staff_hash(request.scope), session_hash=session_hash(request.scope))
        if who is None:
            return _nothing_here()
        try:
            wanted = backlog.Wanted.of_words(request.query_params)
        except ValueError:
            return _nothing_here()
        exported, now = audit.Action.RETENTION_EXPORTED, svc.clock()
        facts = {"queue": wanted.queue.value, "filters": len(wanted.as_words()) - 1}
        with svc.transaction() as session:
            audit.record(session, exported, who.id, at=now, actor=who.actor, **facts)
        lines = _csv_of(backlog.COLUMNS, map(backlog.as_row, backlog.matching(svc, wanted)))
        name = f"workshot-{wanted.queue.value}-{now:%Y%m%d-%H%M}.csv"
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=_attached(name))

    def requests_export(self, request: Request) -> Response:
        """The register of requests as the desk lists it, for those who may see it: numbers, no words."""
        from core.requests import export  # nothing that a start has to wait for

        svc = self._services()
        who = operators.signed_in(svc, staff_hash=staff_hash(request.scope), session_hash=session_hash(request.scope))
        if who is None:
            return _nothing_here()
        try:
            which = export.of_words(request.query_params)
        except ValueError:
            return _nothing_here()
        exported, now = audit.Action.REQUESTS_EXPORTED, svc.clock()
        filters = len(export.as_words(which))
        with svc.transaction() as session:
            audit.record(session, exported, who.id, at=now, actor=who.actor, filters=filters)
        name = f"workshot-requests-{now:%Y%m%d-%H%M}.csv"
        lines = _csv_of(export.COLUMNS, export.rows(svc, which, now))
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=_attached(name))

    def usage_export(self, request: Request) -> Response:
        """A table of the usage page, or all of them, for founders: the numbers that the page shows and no others."""
        from core.usage import reports  # nothing that a start has to wait for
        from core.usage.periods import Period

        svc, words = self._services(), request.query_params
        who = operators.signed_in(svc, staff_hash=staff_hash(request.scope), session_hash=session_hash(request.scope))
        table = words.get("table", reports.ALL)
        if who is None or who.role is not Role.FOUNDER or table not in (reports.ALL, *reports.TABLES):
            return _nothing_here()
        try:
            period = Period.of_words(words)
        except NotAllowed as exc:
            return Response(str(exc), status_code=400, media_type="text/plain", headers=PRIVATE)
        now = svc.clock()
        told = reports.report(svc, period, engine=words.get("engine") or None, now=now)
        exported, months = audit.Action.USAGE_EXPORTED, period.length
        with svc.transaction() as session:
            audit.record(session, exported, who.id, at=now, actor=who.actor, table=table, months=months)
        name = f"workshot-usage-{table.replace('_', '-')}-{'-'.join(period.as_words().values())}.csv"
        lines = _csv_of(*reports.as_rows(told, table))
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=_attached(name))

    def glass(self, request: Request) -> Response:
        """A reported image, small and marked, for the operator who asked and whom another one has allowed to look. What
        merely asks whether it is there, and what another site asks for, is no look."""
        from core.abuse import glass  # draws: nothing that a start has to wait for

        svc = self._services()
        who = operators.signed_in(svc, staff_hash=staff_hash(request.scope), session_hash=session_hash(request.scope))
        if who is None or request.method != "GET" or not _is_ours(request):
            return _nothing_here()
        return _or_404(lambda: _picture(glass.look(svc, who, request.path_params["view_id"]), "image/jpeg"))

    # ------------------------------------------------------------------------------------------------ operation
    def health(self, request: Request) -> Response:
        """200 where people are served: database and vault answer, and a worker is alive."""
        svc = self._services()
        parts = {"database": _answers(svc), "vault": _vault_answers(svc), "worker": _worker_lives(svc)}
        well = all(parts.values())
        body = {"ok": well, **{name: "ok" if fine else "down" for name, fine in parts.items()}, **_shouts(svc)}
        return JSONResponse(body, status_code=200 if well else 503, headers={"cache-control": "no-store"})

    def metrics(self, request: Request) -> Response:
        svc = self._services()
        if not _may_measure(request, svc):
            return _nothing_here()
        from core import metrics  # not before somebody asks: a start is quicker without

        return Response(metrics.text(svc), media_type=metrics.MEDIA_TYPE, headers={"cache-control": "no-store"})


# ------------------------------------------------------------------------------------------------------- answers
def _or_404(found: Callable[[], Response]) -> Response:
    try:
        return found()
    except StorageUnavailable:
        return Response(
            _("Storage cannot be reached just now."), status_code=503, headers=PRIVATE | {"retry-after": "5"}
        )
    except WorkShotError:
        return _nothing_here()


def _plainly(says: str, status: int) -> Response:
    return Response(says, status_code=status, media_type="text/plain", headers=PRIVATE)


def _nothing_here() -> Response:
    return Response(_("There is nothing here."), status_code=404, media_type="text/plain", headers=PRIVATE)


STAFF_PAGE = PRIVATE | {"referrer-policy": "strict-origin", "x-robots-tag": "noindex"}
"""A form's Origin is only sent along where the page may say where it comes from; its address stays unsaid."""


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


def _picture(data: bytes, media_type: str, *, download: str | None = None) -> Response:
    return Response(data, media_type=media_type, headers=_attached(download) if download else PRIVATE)


def _attached(name: str) -> dict[str, str]:
    return PRIVATE | {"content-disposition": f'attachment; filename="{name}"'}


def _comes_from_here(request: Request) -> bool:
    """Our pages say not where they are, so a form of theirs has an Origin of `null`: then the browser has to say it.
    Over plain http it does so to this machine alone; elsewhere the session's cookie stands for it, which is Lax: with
    another site's form it does not come."""
    if "sec-fetch-site" in request.headers:
        return request.headers["sec-fetch-site"] == "same-origin"
    if set(request.headers.getlist("origin")) <= {"null"}:
        return session_hash(request.scope) is not None
    return same_origin(request.headers.raw, secure=request.scope["scheme"] == "https")


def _is_ours(request: Request) -> bool:
    """A page of ours asks for it, or a browser that does not say."""
    return request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


def _count_download(svc: Services, request: Request, what: str) -> None:
    """Once for each file that is handed out to somebody who may be counted, and as the last step of their visit."""
    who, said = session_hash(request.scope), visitor_of(request.scope).counted
    if request.method != "GET" or who is None or not said.is_so or not access.is_counted(svc, who):
        return
    agent, language = (request.headers.get(name, "") for name in ("user-agent", "accept-language"))
    svc.tally.count(Metric.DOWNLOAD, what, at=svc.clock())
    funnel.reached(svc, who, "download", agreed=said is Counted.GA, user_agent=agent, accepts=language)


def _session(request: Request) -> str:
    found = session_hash(request.scope)
    if found is None:
        raise NotFound(_("There is no such image."))
    return found


def _what_it_is(session: Session, copy: Copy) -> tuple[str, Generation | None]:
    """What a download is called (the purpose and the variant, nothing of the person), and the run that made it."""
    if copy.kind is not CopyKind.HEADSHOT:
        return copy.kind.value, None
    query = (
        select(Generation, HeadshotRow.variant)
        .join(HeadshotRow, col(HeadshotRow.generation_id) == Generation.id)
        .where(HeadshotRow.copy_id == copy.id)
    )
    run, variant = session.exec(query).one()
    return f"headshot-{run.purpose}-{variant}", run


def _marks_of(svc: Services, session: Session, copy: Copy, run: Generation | None) -> Marks | None:
    """What a smaller version says of itself where the provider's picture says it in a way that does not survive."""
    if run is None or run.engine in svc.engines:
        return None
    query = select(ProviderTask.model).where(ProviderTask.generation_id == run.id)
    maker = svc.providers.get(run.engine)
    model = session.exec(query.limit(1)).first() or ""
    return marks.generated(by=maker.title if maker else run.engine, model=model, at=copy.written_at or copy.created_at)


def _wanted_size(request: Request, copy: Copy, run: Generation | None) -> pictures.Size:
    """One that is offered; else of this width, and in the shape of the purpose."""
    made = copy.width, copy.height
    width = min(copy.width, _number(request, "w", 64, 4096, copy.width))
    if run is None:
        return pictures.fitted(made, width)
    offered = pictures.downloads(catalogue.catalogue().purpose(run.purpose), made)
    known = (size for size in offered if size[0] == width)
    return next(known, pictures.fitted(pictures.shaped(made, run.ratio), width))


def _number(request: Request, name: str, least: int, most: int, otherwise: int) -> int:
    try:
        return max(least, min(most, int(request.query_params[name])))
    except (KeyError, ValueError):
        return otherwise


# -------------------------------------------------------------------------------------------------------- health
def _answers(svc: Services) -> bool:
    try:
        with svc.reading() as session:
            return session.exec(select(1)).one() == 1
    except Exception:  # whatever is wrong with it, it is down
        return False


def _vault_answers(svc: Services) -> bool:
    """A key that never existed must be absent: any other answer means that storage cannot be asked."""
    return svc.vault.store.head("0" * 40).value == "absent"


def _shouts(svc: Services) -> dict[str, str]:
    """What keeps promises from being kept although people are served: an operator has to see to it."""
    try:
        switch, held = retention.switch_state(svc), retention.hold(svc)
    except Exception:  # the database is down, and that is said already
        return {}
    stopped = f"stopped since {switch.stopped_at:%Y-%m-%dT%H:%MZ}" if switch.stopped_at else "ok"
    asks = f"asks an operator since {held.held_at:%Y-%m-%dT%H:%MZ}" if held else "ok"
    return {"erasing": stopped, "sweep": asks}


def _worker_lives(svc: Services) -> bool:
    try:
        return jobs.is_alive(svc)
    except Exception:
        return False


def _may_measure(request: Request, svc: Services) -> bool:
    """With a token: its bearer. Without: this machine, asked directly."""
    token = svc.settings.metrics_token.get_secret_value()
    if token:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    proxied = {"x-forwarded-for", "forwarded", "x-real-ip"} & set(request.headers)
    host = request.client.host if request.client else ""
    try:
        return not proxied and ip_address(host).is_loopback
    except ValueError:
        return False
