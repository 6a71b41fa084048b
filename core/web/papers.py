"""What anybody can check us by: receipts with what it takes to verify them, and what is told to machines."""

import base64
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from core import policy
from core.errors import NotFound
from core.language import _
from core.models import Receipt
from core.services import Services
from core.settings import ROOT
from core.web.answers import DAY, MINUTES, PRIVATE, attached, nothing_here, operator_of, or_404, plainly, session_of


class Papers:
    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def receipt_file(self, request: Request) -> Response:
        """A receipt as it is signed, for its owner and for operators."""
        from core import receipts

        def found() -> Response:
            receipt = self._receipt(request)
            name = f"workshot-receipt-{receipt.number}.json"
            return Response(receipts.as_file(receipt), media_type="application/json", headers=attached(name))

        return or_404(found)

    def receipt_page(self, request: Request) -> Response:
        """The same to print. What is not as it was signed is not shown."""
        from core import receipts

        def found() -> Response:
            receipt = self._receipt(request)
            verdict = receipts.verify(receipts.as_file(receipt), public_keys=self._services().signer.public_keys)
            if verdict.statement is None:
                return plainly(verdict.says, 500)
            page = receipts.page_html(verdict.statement, file=f"/receipt/{receipt.id}.json")
            return HTMLResponse(page, headers=PRIVATE | {"x-robots-tag": "noindex"})

        return or_404(found)

    def _receipt(self, request: Request) -> Receipt:
        """Raises NotFound alike for a foreign one and for none."""
        from core import receipts

        svc, receipt_id = self._services(), request.path_params["receipt_id"]
        who = operator_of(request, svc)
        with svc.reading() as session:
            if who is None:
                return receipts.own(session, session_of(request), receipt_id)
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
            return nothing_here()
        return Response(text, media_type="text/plain; charset=utf-8", headers={"cache-control": MINUTES})
