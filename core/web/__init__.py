"""
The HTTP routes beside Streamlit: images, downloads, previews, our own assets, health and metrics.

An image is served only to the browser that has its subject open, and the cookie is looked at on every request.
Foreign, erased and unknown ids get the same 404. Nothing private may be cached by anyone.

Parts: `pictures`, `papers` (receipts, keys, the policy), `choices` (cookies of preferences), `operators`, `operation`
(health, metrics), and `answers`, which they share.
"""

from collections.abc import Callable

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from core.services import Services
from core.settings import ROOT
from core.web.answers import DAY
from core.web.choices import Choices
from core.web.operation import Operation
from core.web.operators import ForOperators
from core.web.papers import Papers
from core.web.pictures import Pictures

__all__ = ["routes"]


def routes(services: Callable[[], Services]) -> list[BaseRoute]:
    """`services` is asked at each request: the app is put together before they exist."""
    pictures, papers, choices = Pictures(services), Papers(services), Choices(services)
    staff, operation = ForOperators(services), Operation(services)
    return [
        Route("/healthz", operation.health),
        Route("/metrics", operation.metrics),
        Route("/img/{copy_id}", pictures.image),
        Route("/before/{generation_id}", pictures.before),
        Route("/preview/{generation_id}", pictures.preview),
        Route("/zip/{generation_id}", pictures.archive),
        Route("/draft/{draft_id}", pictures.draft),
        Route("/export/{copy_id}", pictures.export),
        Route("/handover/{secret}/photo.jpg", pictures.hand_over),
        Route("/receipt/{receipt_id}.json", papers.receipt_file),
        Route("/receipt/{receipt_id}", papers.receipt_page),
        Route("/receipt-key", papers.receipt_keys),
        Route("/receipt-format", papers.receipt_format),
        Route("/.well-known/privacy.json", papers.policy_for_machines),
        Route("/.well-known/security.txt", papers.security_txt),
        Route("/counting/{choice}", choices.count_choice, methods=["POST"]),
        Route("/preferences", choices.set_preferences, methods=["POST"]),
        Route("/staff/{token}", staff.door, methods=["GET"]),
        Route("/staff/{token}", staff.sign_in, methods=["POST"]),
        Route("/ops/audit.{form}", staff.audit_export, methods=["GET"]),
        Route("/ops/retention.csv", staff.retention_export, methods=["GET"]),
        Route("/ops/requests.csv", staff.requests_export, methods=["GET"]),
        Route("/ops/usage.csv", staff.usage_export, methods=["GET"]),
        Route("/ops/glass/{view_id}", staff.glass, methods=["GET"]),
        Mount("/assets", _Assets(directory=ROOT / "core" / "ui" / "assets")),
        Mount("/pictures", _Assets(directory=ROOT / "data" / "pictures")),
    ]


class _Assets(StaticFiles):
    """Files of ours, the same for everyone."""

    def file_response(self, full_path, stat_result, scope, status_code=200):  # type: ignore[no-untyped-def]
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = DAY
        return response
