"""
The Streamlit side of a browser session: who is here, and an upload's way out of Streamlit's memory.

Whoever is here is known by the hash that the guard (core/guard) made of the session cookie. Streamlit receives it
as `st.user["session"]` when a tab connects, and refuses to resume a tab's session for any other hash.

Everything that is no public API of Streamlit is wrapped here, one function each, and true for release 1.67.0.
tests/web is the gate for the next release.
"""

import asyncio
import ctypes
import gc
import logging
import re
import sys
import threading
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit import cli_util, config, runtime
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.runtime import Runtime
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.util import calc_hash
from streamlit.web.server import server_util

from core import language as spoken
from core.clock import Clock
from core.guard import Counted, OpenUpload
from core.language import ENGLISH, N_, NAMES, _
from core.logs import outline
from core.preferences import NOTHING, Preferences, Theme, is_for_operators, page_names, read

log = logging.getLogger(__name__)

SESSION_HASH = re.compile(r"[0-9a-f]{64}")
NO_COOKIE = N_("This page needs a cookie to know you from others. Please allow cookies for this site, then reload.")
CALM_ERROR = N_("Something went wrong on our side. Your photos are where they were. Please reload the page.")
KEEP_UNTAKEN_FOR = timedelta(minutes=2)
THEME_SCRIPT = "/assets/theme.js"
SPOOL_BYTES = 32 * 1024**2
OWN_ADDRESS = re.compile(r"localhost|127(\.\d{1,3}){3}|::1", re.ASCII)

_let_go = threading.Event()  # an upload was let go of since memory was last handed back


# In a page.


def in_script_run() -> bool:
    """Whether Streamlit is running this file as a page, not loading it as a server."""
    return get_script_run_ctx(suppress_warning=True) is not None


def current_session() -> str:
    """The hash of this browser's session. Without a cookie it says so and ends the run."""
    session = st.user.get("session")
    if not (isinstance(session, str) and SESSION_HASH.fullmatch(session)):
        st.info(_(NO_COOKIE))
        st.stop()
    return session


def staff_session() -> str | None:
    """The hash of an operator's cookie, if this browser sent one. Says nothing about whether it still counts."""
    staff = st.user.get("staff")
    return staff if isinstance(staff, str) and SESSION_HASH.fullmatch(staff) else None


def counted() -> Counted:
    """Whether what this browser does may be counted. Without a word from the guard it may not."""
    said = st.user.get("counted")
    return Counted(said) if said in set(Counted) else Counted.NO


def preferred() -> Preferences:
    """What this browser prefers."""
    said = st.user.get("preferences")
    return read(said) if isinstance(said, str) else NOTHING


def language() -> str | None:
    """
    The language of whoever reads the page that is run now, also in callbacks, fragments and dialogs; None elsewhere.

    Asked for each sentence, so it is a look at what Streamlit has at hand: what the guard said when the tab connected.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return None
    if context.page_script_hash in _pages_in_english():
        return ENGLISH
    said = context.user_info.get("language")
    if isinstance(said, str):
        return said if said in NAMES else ENGLISH
    # Not every browser says it again when it opens a stream; the page itself is told what it prefers.
    return spoken.accepted(context.context_info.locale) if context.context_info else ENGLISH


spoken.ask(language)


def bind() -> str:
    """Once at the start of every run: who is here. Whatever this tab leaves behind is dropped when it closes."""
    session = current_session()
    _until_closed(_streamlit_session())
    return session


def upload_key(name: str) -> str:
    """The key to give an uploader now. It changes when its upload is taken, so the widget starts afresh."""
    return f"{name}-{st.session_state.get(_turn(name), 0)}"


def take_upload(name: str) -> bytes | None:
    """
    Take an upload out of Streamlit: the bytes are returned, and are in no memory of Streamlit's afterwards.

    For the uploader's `on_change`, whose key was `upload_key(name)`. The name that the file had is dropped unread.
    """
    file = st.session_state.get(upload_key(name))
    if file is None:
        return None
    data: bytes = file.getvalue()
    _forget_upload(_streamlit_session(), file.file_id)
    file.close()
    st.session_state[_turn(name)] = st.session_state.get(_turn(name), 0) + 1
    return data


def calm_error(exc: Exception) -> bool:
    """For `on_script_error`: the person reads a calm sentence, the log learns what failed and where."""
    log.error("A page failed: %s", outline(exc))
    st.error(_(CALM_ERROR))
    return True  # instead of Streamlit's own box


def _turn(name: str) -> str:
    return f"_{name}_uploads_taken"


@st.cache_resource(scope="session", on_release=lambda streamlit_session: _forget_uploads(streamlit_session))
def _until_closed(streamlit_session: str) -> str:
    """Streamlit releases this the moment the tab's connection is gone, even if only for a while."""
    return streamlit_session


# In the server.


class StreamlitFramework:
    """What the guard asks (`core.guard.Framework`), answered from Streamlit's runtime."""

    def index_html(self) -> str:
        return _index_html()

    def page(self, speaks: str, theme: Theme | None) -> str:
        return _page_in(speaks, theme)

    def owner(self, framework_session: str) -> str | None:
        session = _connected_with(framework_session).get("session")
        return session if isinstance(session, str) and SESSION_HASH.fullmatch(session) else None

    def open_uploads(self) -> Collection[OpenUpload]:
        return [
            OpenUpload(owner=self.owner(streamlit_session), size=size)
            for (streamlit_session, _), size in _uploads().items()
        ]


@cache
def _index_html() -> str:
    return (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")


@cache
def _page_in(speaks: str, theme: Theme | None) -> str:
    """1.67.0: the front end has no word for either, but it reads the theme from where assets/theme.js puts it."""
    html = f'<html lang="{speaks}" data-ws-theme="{theme or ""}">'
    head = f'<script src="{THEME_SCRIPT}"></script>\n    <title>WorkShot</title>'
    return _index_html().replace('<html lang="en">', html, 1).replace("<title>Streamlit</title>", head, 1)


def only_registered_pages() -> None:
    """
    1.67.0: until the first run that calls `st.navigation`, a folder `pages/` is taken for pages that anybody may open
    by name, past streamlit_app.py. Called while the server starts.
    """
    PagesManager.uses_pages_directory = False


def only_our_components() -> None:
    """
    1.67.0: as the server is made, the metadata of every installed package is read, for components that it would then
    serve. Ours are all in core/ui, nobody else's are wanted, and reading takes a tenth of a start.
    """
    manager: Any = BidiComponentManager
    manager.discover_and_register_components = lambda self, **_: None


def keep_uploads_off_disk() -> None:
    """Let an upload be parsed in memory; beyond 1 MB Starlette would write it to a temporary file."""
    MultiPartParser.spool_max_size = SPOOL_BYTES


def hand_back_memory() -> None:
    """
    Make the bytes of uploads that nobody holds any more leave the process, not only its books.

    Parsing an upload leaves its bytes in reference cycles, and with `runner.postScriptGC` off nothing collects those
    for minutes; what is free then still lies readable in the heap until the allocator returns it to the system.
    A launcher that sets MALLOC_MMAP_THRESHOLD_=65536 makes large blocks go back the moment they are freed.
    """
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return  # not glibc
    trim(0)


class Leftovers:
    """
    What tabs leave in Streamlit's memory when nothing else clears it: an idle server never does by itself.

    A tab that closes drops its uploads at once (`bind`), unless it came back without running its page again. This
    finds what slipped through: it shuts down sessions that may no longer be resumed, and drops uploads whose tab is
    not connected or that no page has taken for a while, because a page takes its upload at once.
    """

    def __init__(self, keep_untaken_for: timedelta) -> None:
        self._keep_for = keep_untaken_for
        self._first_seen: dict[tuple[str, str], datetime] = {}

    def purge(self, now: datetime) -> int:
        """How many sessions were shut down and uploads dropped. For the event loop's thread."""
        closed = _shut_down_expired_sessions()
        here = _uploads()
        self._first_seen = {upload: self._first_seen.get(upload, now) for upload in here}
        late = [
            (streamlit_session, file_id)
            for (streamlit_session, file_id), seen in self._first_seen.items()
            if now - seen >= self._keep_for or not _connected_with(streamlit_session)
        ]
        for streamlit_session, file_id in late:
            _forget_upload(streamlit_session, file_id)
        return closed + len(late)


async def purge_closed_sessions(
    clock: Clock, *, every: timedelta = timedelta(seconds=15), keep_untaken_for: timedelta = KEEP_UNTAKEN_FOR
) -> None:
    """Runs as long as the server, from its lifespan."""
    leftovers = Leftovers(keep_untaken_for)
    rounds = 0
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            leftovers.purge(clock())
            if _let_go.is_set():
                _let_go.clear()
                rounds = 3  # the first may come while the page still works on what it took
            if rounds:
                rounds -= 1
                hand_back_memory()
        except Exception as exc:
            log.error("Purging leftovers failed: %s", outline(exc))


def open_browser(after: timedelta = timedelta(seconds=0.5)) -> None:
    """
    1.67.0: with a desktop, `streamlit run` opens the page for a plain script but not for an `st.App`. Called while
    the server starts; it listens a moment later.
    """
    if _started_by_streamlit() and not config.get_option("server.headless"):
        url = server_util.get_url(server_util.get_display_address(config.get_option("server.address") or "localhost"))
        asyncio.get_running_loop().call_later(after.total_seconds(), cli_util.open_browser, url)


def own_address() -> str:
    """Where this server is reached from its own machine, if `streamlit run` started it."""
    port, path = config.get_option("server.port"), str(config.get_option("server.baseUrlPath")).strip("/")
    return f"http://localhost:{port}" + (f"/{path}" if path else "")


def here_alone() -> bool:
    """Whether nobody but this machine reaches the server. Of one that another program started nobody told us."""
    return _started_by_streamlit() and bool(OWN_ADDRESS.fullmatch(config.get_option("server.address") or ""))


def _started_by_streamlit() -> bool:
    return Path(sys.argv[0]).name == "streamlit_app.py"


# Streamlit's inside. Each function is one thing that 1.67.0 has no public name for.


def _runtime() -> Runtime:
    """1.67.0: importable, undocumented."""
    return runtime.get_instance()


@cache
def _pages_in_english() -> frozenset[str]:
    """
    1.67.0: a page goes by a hash of the name that its address has. Operators all read the same words, whatever their
    browsers prefer.
    """
    return frozenset(map(calc_hash, filter(is_for_operators, page_names())))


def _streamlit_session() -> str:
    """1.67.0: the tab's own id, a secret (whoever knows it may address its uploads)."""
    context = get_script_run_ctx()
    if context is None:
        raise RuntimeError("not in a script run")
    return context.session_id


def _connected_with(streamlit_session: str) -> dict[str, Any]:
    """1.67.0: what `st.user` was filled with when this tab connected; empty unless it is connected right now."""
    if not runtime.exists():
        return {}
    session = _runtime().get_app_session(streamlit_session)
    return {} if session is None else dict(session._user_info)


def _uploads() -> dict[tuple[str, str], int]:
    """1.67.0: (session, file) → bytes of every upload that Streamlit holds, read under its own lock."""
    if not runtime.exists():
        return {}
    manager: Any = _runtime().uploaded_file_mgr
    with manager._lock:
        return {
            (streamlit_session, file_id): len(file.data)
            for streamlit_session, files in manager.file_storage.items()
            for file_id, file in files.items()
        }


def _forget_upload(streamlit_session: str, file_id: str) -> None:
    """1.67.0: the widget's own X does the same, by HTTP."""
    _let_go.set()
    manager: Any = _runtime().uploaded_file_mgr
    manager.remove_file(session_id=streamlit_session, file_id=file_id)


def _forget_uploads(streamlit_session: str) -> None:
    """1.67.0: what a session's shutdown does, only earlier."""
    _let_go.set()
    if runtime.exists():
        _runtime().uploaded_file_mgr.remove_session_files(streamlit_session)


def _shut_down_expired_sessions() -> int:
    """
    1.67.0: disconnected sessions lie in a cache that drops the expired only when the next one arrives, and even
    then the runtime's loop may hold on to the last. Shutting them down frees their uploads and media regardless.
    """
    if not runtime.exists():
        return 0
    manager: Any = _runtime()._session_mgr
    with manager._storage_lock:
        expired = manager._session_storage._cache.expire()
    for _key, info in expired:
        info.session.shutdown()
    return len(expired)
