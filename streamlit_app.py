"""
The whole app in one file that plays two parts: `streamlit run streamlit_app.py` (or `uvicorn streamlit_app:app`)
loads it once as the server, and Streamlit then runs it again for every visitor as the page.
"""

import streamlit as st

from core.ui import session

if session.in_script_run():
    from core import language
    from core.ui import counting, operators, pages
    from core.ui.app import services

    me = session.bind()
    counting.heed(services(), me)
    operator = operators.operator()
    own = pages.for_operator(operator.role if operator else None)
    everyone = pages.for_everyone(language.ENGLISH if operator else language.current())
    page = st.navigation([*everyone, *own], position="top")
    pages.shout()
    if page in everyone:
        counting.reached(services(), me, "visit")
    page.run()
    if page in everyone:
        pages.foot(page)
else:
    import gc

    gc.disable()  # until the server has started: imports leave next to no garbage, and looking for it costs a tenth

    from urllib.parse import urlsplit

    from starlette.middleware import Middleware

    from core import web
    from core.guard import Guard
    from core.settings import load_settings
    from core.ui import app as ui
    from core.ui import server

    session.only_our_components()
    settings = load_settings()

    # A plain assignment of `st.App(...)`: that is how `streamlit run` finds out that this file is a server.
    app = st.App(
        __file__,
        lifespan=server.lifespan(settings),
        routes=web.routes(ui.services),
        middleware=[
            Middleware(
                Guard,
                framework=session.StreamlitFramework(),
                secure=settings.secure,
                hosts=[*settings.hosts, urlsplit(settings.public_url).hostname or ""],
                trusted_proxies=settings.trusted_proxies,
                seen=lambda session_hash, address: ui.services().networks.seen(session_hash, address),
            )
        ],
        on_script_error=session.calm_error,
    )
