"""
Images, downloads and previews, each only to the browser that has its subject open.

Handlers are plain functions, which run in a thread each, so that decoding a picture holds up nobody.
"""

import io
import zipfile
from collections.abc import Callable

from sqlmodel import Session, col, select
from starlette.requests import Request
from starlette.responses import Response

from core import access, catalogue, copies, generations, marks, pictures
from core.drafts import DraftKind
from core.errors import NotFound, WorkShotError
from core.guard import Counted, session_hash, visitor_of
from core.language import _
from core.marks import Marks
from core.models import Copy, CopyKind, Generation, HeadshotRow, ProviderTask
from core.ports import Framing
from core.services import Services
from core.usage import funnel
from core.usage.metrics import Metric
from core.web.answers import as_picture, attached, nothing_here, or_404, session_of


class Pictures:
    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def image(self, request: Request) -> Response:
        """`?w=400` for a smaller one, `?dl=1` to download."""
        svc = self._services()

        def found() -> Response:
            with svc.reading() as session:
                copy = access.may_read(session, session_of(request), request.path_params["copy_id"], svc.clock())
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
            return as_picture(data, kind, download=file_name if "dl" in request.query_params else None)

        return or_404(found)

    def before(self, request: Request) -> Response:
        """The photo as it was, in the frame of the run's headshots."""
        svc = self._services()

        def found() -> Response:
            with svc.reading() as session:
                run = access.own_run(session, session_of(request), request.path_params["generation_id"])
                access.may_read(session, session_of(request), run.portrait_id, svc.clock())
            data = svc.framer.before(
                copies.read(svc, run.portrait_id),
                ratio=run.ratio,
                framing=Framing(zoom=run.zoom, turns=run.turns),
                long_side=_number(request, "w", 240, 1200, 900),
            )
            return as_picture(data, "image/jpeg")

        return or_404(found)

    def draft(self, request: Request) -> Response:
        """A photo that is not stored yet, framed as the run would frame it."""
        svc = self._services()

        def found() -> Response:
            draft = svc.drafts.find(session_of(request), request.path_params["draft_id"])
            if draft.kind is not DraftKind.PORTRAIT:
                size = pictures.fitted((draft.photo.width, draft.photo.height), 480)
                return as_picture(pictures.smaller(draft.photo.data, size), "image/jpeg")
            return self._preview(request, svc, draft.photo.data)

        return or_404(found)

    def preview(self, request: Request) -> Response:
        """A stored photo, framed as another run would frame it."""
        svc = self._services()

        def found() -> Response:
            with svc.reading() as session:
                run = access.own_run(session, session_of(request), request.path_params["generation_id"])
                access.may_read(session, session_of(request), run.portrait_id, svc.clock())
            return self._preview(request, svc, copies.read(svc, run.portrait_id))

        return or_404(found)

    def _preview(self, request: Request, svc: Services, portrait: bytes) -> Response:
        ratio = request.query_params.get("ratio", "")
        if ratio not in {purpose.ratio for purpose in catalogue.catalogue().purposes}:
            raise NotFound(_("There is no such picture."))
        turns = _number(request, "turns", 0, 3, -1)
        framing = Framing(zoom=_number(request, "zoom", 70, 150, 100) / 100, turns=None if turns < 0 else turns)
        return as_picture(svc.framer.preview(portrait, ratio=ratio, framing=framing), "image/jpeg")

    def archive(self, request: Request) -> Response:
        """All headshots of a run, in all sizes of its purpose."""
        svc = self._services()

        def found() -> Response:
            with svc.reading() as session:
                run = generations.view(session, session_of(request), request.path_params["generation_id"], svc.clock())
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
            return Response(packed.getvalue(), media_type="application/zip", headers=attached(name))

        return or_404(found)

    def export(self, request: Request) -> Response:
        """A file of somebody's copy of their data, for nobody else."""
        from core import exports

        svc = self._services()

        def found() -> Response:
            with svc.reading() as session:
                file = exports.file_of(session, session_of(request), request.path_params["copy_id"], svc.clock())
            data = copies.read(svc, file.copy_id)
            return Response(data, media_type="application/zip", headers=attached(file.name))

        return or_404(found)

    def hand_over(self, request: Request) -> Response:
        """A picture for the provider that a person has chosen: once. Whatever goes wrong, there is nothing here."""
        from core.provider import links

        if request.method != "GET":  # who only asks whether it is there does not use it up
            return nothing_here()
        try:
            picture = links.serve(self._services(), request.path_params["secret"])
        except WorkShotError:
            return nothing_here()
        return as_picture(picture, "image/jpeg")


def _count_download(svc: Services, request: Request, what: str) -> None:
    """Once for each file that is handed out to somebody who may be counted, and as the last step of their visit."""
    who, said = session_hash(request.scope), visitor_of(request.scope).counted
    if request.method != "GET" or who is None or not said.is_so or not access.is_counted(svc, who):
        return
    agent, language = (request.headers.get(name, "") for name in ("user-agent", "accept-language"))
    svc.tally.count(Metric.DOWNLOAD, what, at=svc.clock())
    funnel.reached(svc, who, "download", agreed=said is Counted.GA, user_agent=agent, accepts=language)


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
