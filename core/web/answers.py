"""How routes answer, and what they ask of a request. Nothing private may be cached by anyone."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from core import operators
from core.errors import NotFound, StorageUnavailable, WorkShotError
from core.guard import same_origin, session_hash, staff_hash
from core.language import _
from core.operators import Operator
from core.services import Services

PRIVATE = {"cache-control": "private, no-store", "cross-origin-resource-policy": "same-origin"}
DAY, MINUTES = "public, max-age=86400", "public, max-age=300"


def or_404(found: Callable[[], Response]) -> Response:
    """Whatever stands in the way, there is nothing here, unless it is only storage that cannot be reached."""
    try:
        return found()
    except StorageUnavailable:
        return Response(
            _("Storage cannot be reached just now."), status_code=503, headers=PRIVATE | {"retry-after": "5"}
        )
    except WorkShotError:
        return nothing_here()


def plainly(says: str, status: int) -> Response:
    return Response(says, status_code=status, media_type="text/plain", headers=PRIVATE)


def nothing_here() -> Response:
    return plainly(_("There is nothing here."), 404)


def as_picture(data: bytes, media_type: str, *, download: str | None = None) -> Response:
    return Response(data, media_type=media_type, headers=attached(download) if download else PRIVATE)


def attached(name: str) -> dict[str, str]:
    return PRIVATE | {"content-disposition": f'attachment; filename="{name}"'}


def comes_from_here(request: Request) -> bool:
    """Our pages say not where they are, so a form of theirs has an Origin of `null`: then the browser has to say it.
    Over plain http it does so to this machine alone; elsewhere the session's cookie stands for it, which is Lax: with
    another site's form it does not come."""
    if "sec-fetch-site" in request.headers:
        return request.headers["sec-fetch-site"] == "same-origin"
    if set(request.headers.getlist("origin")) <= {"null"}:
        return session_hash(request.scope) is not None
    return same_origin(request.headers.raw, secure=request.scope["scheme"] == "https")


def is_ours(request: Request) -> bool:
    """A page of ours asks for it, or a browser that does not say."""
    return request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


def session_of(request: Request) -> str:
    """Whose request it is. Raises NotFound where nobody's."""
    found = session_hash(request.scope)
    if found is None:
        raise NotFound(_("There is no such image."))
    return found


def operator_of(request: Request, svc: Services) -> Operator | None:
    """Who is signed in with it."""
    scope = request.scope
    return operators.signed_in(svc, staff_hash=staff_hash(scope), session_hash=session_hash(scope))
