"""A small server for the gallery: our assets and some fake pictures, under the product's content security policy.

PYTHONPATH=. uvicorn tests.ui.app:app --port 28620
"""

import base64
import hashlib
import io
import re
from pathlib import Path
from typing import Any

import streamlit as st
from PIL import Image, ImageEnhance
from skimage import data
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from core.ui.widgets import ASSETS


def _policy() -> str:
    page = (Path(st.__file__).parent / "static" / "index.html").read_text("utf-8")
    inline = re.findall(r"<script>(.*?)</script>", page, re.S)
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline)
    scripts = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'self'; script-src 'self' {scripts} blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )


class SecurityHeaders:
    """Adds the policy to every answer."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.policy = _policy().encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {
                    **message,
                    "headers": [*message["headers"], (b"content-security-policy", self.policy)],
                }
            await send(message)

        await self.app(scope, receive, with_policy)


def _picture(warmth: float, light: float) -> bytes:
    image = Image.fromarray(data.astronaut()).crop((60, 0, 400, 425))
    image = ImageEnhance.Color(ImageEnhance.Brightness(image).enhance(light)).enhance(warmth)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


LOOKS = {
    "before": (0.75, 0.7),
    "after": (1.05, 1.12),
    "soft": (0.9, 1.2),
    "crisp": (1.2, 1.05),
    "mono": (0.0, 1.05),
    "warm": (1.5, 1.0),
    "evening": (1.1, 0.65),
}


async def picture(request: Request) -> Response:
    look = LOOKS.get(request.path_params["name"])
    if look is None:
        return Response(status_code=404)
    return Response(_picture(*look), media_type="image/jpeg", headers={"Cache-Control": "no-store, private"})


app = st.App(
    Path(__file__).with_name("gallery_main.py"),
    routes=[Mount("/assets", StaticFiles(directory=ASSETS)), Route("/picture/{name}", picture)],
    middleware=[Middleware(SecurityHeaders)],
)
