"""
One real headshot of a drawing of nobody. Costs a few cents, so it is collected only where a key is set:

    APIMART_LIVE_KEY=sk-... .venv/bin/python -m pytest -m live tests/engines/apimart/test_live.py
"""

import base64
import io
import os
import time

import pytest
from PIL import Image

from core.canary_portrait import drawn_portrait
from core.engines.apimart.engine import ApiMart
from core.engines.apimart.offers import DEFAULT, offers
from core.models import new_id
from core.ports import Presence, TaskState
from tests.engines.apimart.conftest import LIVE_KEY


@pytest.mark.live
@pytest.mark.timeout(720)
def test_a_headshot_of_nobody():
    engine = ApiMart(offer=offers()[os.environ.get("APIMART_LIVE_MODEL", DEFAULT)], key=os.environ[LIVE_KEY])
    before = engine.balance()
    picture = base64.b64encode(engine.for_sending(drawn_portrait())).decode()
    commission = engine.commission(
        ratio="4:5",
        long_side=1000,
        style="studio",
        purpose="business_profile",
        backdrop="grey",
        note="",
        variant=1,
        portrait=f"data:image/jpeg;base64,{picture}",
        clothing=None,
        backdrop_image=None,
    )
    taken = engine.submit(commission, key=f"{new_id()}-1")
    results = taken.results
    if taken.task_id is not None:
        report = ended(engine, taken.task_id)
        assert report.state is TaskState.DONE, report
        assert report.cost is not None
        results = report.results
    fetched = engine.fetch(results[0].url)
    assert Image.open(io.BytesIO(fetched.data)).size == (fetched.width, fetched.height)
    assert engine.probe(results[0].url) is Presence.PRESENT
    print(f"{fetched.media_type}, {fetched.width} × {fetched.height}; balance {before} → {engine.balance()}")


def ended(engine, task_id):
    until = time.monotonic() + 600
    report = engine.task(task_id)
    while report.state is TaskState.WAITING and time.monotonic() < until:
        time.sleep(3)  # a real service takes real time
        report = engine.task(task_id)
    return report
