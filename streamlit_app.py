"""
The whole app in one file that plays two parts: `streamlit run streamlit_app.py` (or `uvicorn streamlit_app:app`)
loads it once as the server, and Streamlit then runs it again for every visitor as the page.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from core.ui import session

if session.in_script_run():
    session.bind()
    st.navigation([st.Page("pages/studio.py", title="Studio", default=True)], position="top").run()
else:
    import asyncio

    from starlette.middleware import Middleware

    from core.clock import utc_now
    from core.guard import Guard
    from core.logs import quiet_logs
    from core.settings import load_settings

    settings = load_settings()

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[None]:
        quiet_logs()
        session.keep_uploads_off_disk()
        purge = asyncio.create_task(session.purge_closed_sessions(utc_now))
        try:
            yield
        finally:
            purge.cancel()

    # A plain assignment of `st.App(...)`: that is how `streamlit run` finds out that this file is a server.
    app = st.App(
        __file__,
        lifespan=lifespan,
        routes=[],
        middleware=[
            Middleware(Guard, framework=session.StreamlitFramework(), secure=settings.secure, hosts=settings.hosts)
        ],
        on_script_error=session.calm_error,
    )
