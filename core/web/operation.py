"""Whether all is well, for whatever watches this server."""

import hmac
from collections.abc import Callable
from ipaddress import ip_address

from sqlmodel import select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import jobs, retention
from core.services import Services
from core.web.answers import nothing_here


class Operation:
    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

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
            return nothing_here()
        from core import metrics  # not before somebody asks: a start is quicker without

        return Response(metrics.text(svc), media_type=metrics.MEDIA_TYPE, headers={"cache-control": "no-store"})


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
