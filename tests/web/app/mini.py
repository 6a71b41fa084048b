"""The smallest app behind the guard: what tests/web attacks, so that it does not depend on any page of ours."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import streamlit as st

from core.ui import session

ASSETS = Path(__file__).resolve().parents[3] / "core" / "ui" / "assets"
INLINE_JS = """
export default function (component) {
  const button = document.createElement("button");
  button.textContent = "inline " + component.data.word;
  button.onclick = () => component.setTriggerValue("pressed", true);
  component.parentElement.querySelector("#here").replaceChildren(button);
}
"""


def page() -> None:
    me = session.bind()
    st.title("Mini")
    born = st.session_state.setdefault("born", os.urandom(8).hex())
    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    st.text(f"me={me} born={born} runs={st.session_state['runs']}")
    st.file_uploader("Keep it", key="kept")
    st.file_uploader("Your photo", key=session.upload_key("photo"), on_change=take, args=("photo",))
    st.camera_input("Or take one", key=session.upload_key("camera"), on_change=take, args=("camera",))
    for size in st.session_state.get("taken", []):
        st.text(f"took {size} bytes")
    inline = st.components.v2.component("inline", html="<div id='here'></div>", js=INLINE_JS)
    if inline(data={"word": "component"}, on_pressed_change=lambda: None).pressed:
        st.text("component answered")
    st.html("<p id='own'>own <b>html</b></p>")
    if st.button("Media") or "media" in st.query_params:
        st.audio(b"RIFF-private", format="audio/wav")
    if st.button("Fail"):
        raise ValueError("the message names Jane Doe")


def take(name: str) -> None:
    data = session.take_upload(name)
    if data is not None:
        st.session_state.setdefault("taken", []).append(len(data))


if session.in_script_run():
    page()
else:
    import asyncio

    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import JSONResponse, PlainTextResponse, Response
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles
    from streamlit import runtime

    from core.clock import utc_now
    from core.guard import Guard, Limits, new_session, session_hash, set_session_cookie
    from core.logs import quiet_logs

    framework = session.StreamlitFramework()

    async def whoami(request: Request) -> Response:
        return JSONResponse({"session": session_hash(request.scope), "cookies": sorted(request.cookies)})

    async def uploads(_: Request) -> Response:
        held = framework.open_uploads()
        return JSONResponse({"count": len(held), "bytes": sum(upload.size for upload in held)})

    async def media(_: Request) -> Response:
        return JSONResponse(sorted(runtime.get_instance().media_file_mgr._storage._files_by_id))

    async def switch(request: Request) -> Response:
        response = PlainTextResponse("switched")
        set_session_cookie(response, request.scope, new_session())
        return response

    async def echo(request: Request) -> Response:
        return JSONResponse({"bytes": len(await request.body())})

    async def boom(_: Request) -> Response:
        raise ValueError("the message names Jane Doe")

    async def own_policy(_: Request) -> Response:
        return PlainTextResponse("x", headers={"content-security-policy": "default-src 'none'"})

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[None]:
        quiet_logs()
        session.keep_uploads_off_disk()
        purge = asyncio.create_task(
            session.purge_closed_sessions(
                utc_now,
                every=timedelta(seconds=float(os.environ.get("MINI_PURGE_EVERY", "0.5"))),
                keep_untaken_for=timedelta(seconds=float(os.environ.get("MINI_KEEP_UNTAKEN", "120"))),
            )
        )
        try:
            yield
        finally:
            purge.cancel()

    app = st.App(
        __file__,
        lifespan=lifespan,
        routes=[
            Mount("/assets", StaticFiles(directory=ASSETS)),
            Route("/test/whoami", whoami),
            Route("/test/uploads", uploads),
            Route("/test/stored", media),
            Route("/test/switch", switch, methods=["GET", "POST"]),
            Route("/test/echo", echo, methods=["POST"]),
            Route("/test/boom", boom),
            Route("/test/own-policy", own_policy),
        ],
        middleware=[
            Middleware(
                Guard,
                framework=framework,
                secure=os.environ.get("MINI_SECURE") == "1",
                hosts=["mini.example"],
                limits=Limits(
                    upload_bytes=2_000_000, open_files=3, open_bytes=4_000_000, all_bytes=6_000_000, form_bytes=1000
                ),
            )
        ],
        on_script_error=session.calm_error,
    )
