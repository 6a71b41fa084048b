"""What machines are told: health shouts what an operator has to see to, metrics count nobody's canaries."""

import json
from datetime import timedelta

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core import canary, erasing, retention, web
from core.models import ProviderCopy
from tests.provider.outsider import given_run_of, given_task, noted


@pytest.fixture
def http(svc, worker):
    worker.beat()
    app = Starlette(routes=web.routes(lambda: svc))
    return TestClient(app, client=("127.0.0.1", 1234))


def test_all_is_well_in_words(http):
    answer = http.get("/healthz")

    assert answer.status_code == 200
    assert json.loads(answer.text) == {
        "ok": True, "database": "ok", "vault": "ok", "worker": "ok", "erasing": "ok", "sweep": "ok",
    }  # fmt: skip


def test_stopped_erasing_and_a_sweep_that_asks_are_shouted_and_people_are_served(http, svc, given_copy, limit_to):
    given_copy(), given_copy()
    retention.sweep(limit_to(sweep_cap=1))
    erasing.stop(svc, reason="test", actor="operator:o-1")

    answer = http.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["erasing"] == "stopped since 2026-03-02T12:00Z"
    assert answer.json()["sweep"] == "asks an operator since 2026-03-02T12:00Z"
    measured = http.get("/metrics").text
    assert "workshot_erasing_stopped 1.0" in measured and "workshot_sweep_held_copies 2.0" in measured


def test_canaries_are_in_no_count(http, svc, clock, store):
    canary.release(svc)
    clock.advance(minutes=5)
    assert store.objects

    measured = http.get("/metrics").text
    assert "workshot_copies_overdue 0.0" in measured and "workshot_queue_length 0.0" in measured
    assert 'kind="canary"' not in measured and "workshot_runs{" not in measured
    retention.sweep(svc)
    canary.collect(svc)
    measured = http.get("/metrics").text
    assert "workshot_canary_failed 0.0" in measured and "workshot_canary_age_seconds 0.0" in measured
    assert "workshot_canary_gone_p95_seconds 270.0" in measured and "workshot_sweep_age_seconds 0.0" in measured


def test_what_lies_at_third_parties_is_counted(http, svc, given_copy, clock):
    assert 'workshot_provider_copies{state="running"} 0.0' in http.get("/metrics").text
    photo = given_copy(ends_in=timedelta(days=9))
    copy = noted(svc, given_task(svc, given_run_of(svc, photo.subject_id, photo.id)))
    measured = http.get("/metrics").text
    assert 'workshot_provider_copies{state="running"} 1.0' in measured and "provider_kept_percent" not in measured
    clock.advance(days=3)
    with svc.transaction() as session:
        session.get_one(ProviderCopy, copy.id).open_at = clock.now
    measured = http.get("/metrics").text
    assert 'workshot_provider_copies{state="overdue"} 1.0' in measured
    assert "workshot_provider_kept_percent 0.0" in measured
