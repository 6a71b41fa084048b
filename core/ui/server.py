"""The server around the pages: what starts before the first visitor, what runs beside, and what ends in good order."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from core import bootstrap, policy
from core.logs import outline, quiet_logs
from core.services import Services
from core.settings import Settings
from core.ui import app, session

log = logging.getLogger(__name__)

PRUNE_EVERY = timedelta(seconds=20)
WRITE_USAGE_EVERY = timedelta(seconds=5)
WARM_UP_AFTER = timedelta(seconds=1)
"""After the start: whoever asks whether the server is well gets an answer first."""


def lifespan(settings: Settings) -> Callable[[Any], Any]:
    """For `st.App`: the worker runs from here, so that clocks are kept without a visitor."""

    @asynccontextmanager
    async def running(_: Any) -> AsyncIterator[None]:
        quiet_logs()
        session.keep_uploads_off_disk()
        session.only_registered_pages()
        svc = await asyncio.to_thread(bootstrap.build, settings)
        svc = bootstrap.seen_from_outside(replace(svc, here_alone=session.here_alone()), session.own_address())
        await asyncio.to_thread(policy.note, svc)
        if settings.worker == "embedded":
            svc, runner = bootstrap.with_runner(svc, measures=True)
        else:
            runner = bootstrap.measuring(svc)
        runner.start()
        app.provide(svc)
        gc.freeze()  # what is there now stays: looking through it again and again finds nothing
        gc.enable()  # see streamlit_app.py
        session.open_browser()
        beside = [
            asyncio.create_task(_warm_up(svc)),
            asyncio.create_task(session.purge_closed_sessions(svc.clock)),
            asyncio.create_task(_forget_drafts(svc)),
            asyncio.create_task(_write_usage(svc)),
        ]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            app.provide(None)
            await asyncio.to_thread(runner.stop)
            await asyncio.to_thread(svc.tally.tend, svc.database, svc.clock(), everything=True)

    return running


async def _warm_up(svc: Services) -> None:
    """What visitors and jobs ask for is loaded before the first of them comes, and after the start."""
    await asyncio.sleep(WARM_UP_AFTER.total_seconds())
    try:
        await asyncio.to_thread(_load_engines, svc)
    except Exception as exc:
        log.error("Loading an engine failed: %s", outline(exc))


def _load_engines(svc: Services) -> None:
    from core import intake, steps  # noqa: F401

    for engine in svc.engines.values():
        _ = engine.stages


async def _forget_drafts(svc: Services) -> None:
    """Photos that nobody came back for leave memory on time, also when nobody else comes by."""
    while True:
        await asyncio.sleep(PRUNE_EVERY.total_seconds())
        try:
            svc.drafts.prune()
        except Exception as exc:
            log.error("Forgetting drafts failed: %s", outline(exc))


async def _write_usage(svc: Services) -> None:
    """What pages have counted is in memory for some seconds; visits of a day ago leave it."""
    while True:
        await asyncio.sleep(WRITE_USAGE_EVERY.total_seconds())
        svc.visits.prune(svc.clock())
        await asyncio.to_thread(svc.tally.tend, svc.database, svc.clock())
