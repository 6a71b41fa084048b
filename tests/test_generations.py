"""Runs: from the button to the headshots, through every way in which they can end."""

from core import access, copies, generations, retention
from core.contracts import Contract
from core.models import Copy, RunState
from tests.conftest import ANN

ON_BOTH_DATABASES = True


def test_a_run_from_the_button_to_its_headshots(svc, ask, work, clock):
    run_id = ask(variants=3)
    work()
    with svc.reading() as session:
        view = generations.view(session, ANN, run_id, clock())
    assert view.run.state is RunState.READY
    assert len(view.headshots) == 3
    assert view.stages == ("reading", "light", "finishing")
    assert all(copies.read(svc, copy.id) for copy in view.headshots)


def test_erase_everything_ends_with_evidence_and_without_a_key(svc, ask, work, clock, store):
    run_id = ask()
    work()
    with svc.reading() as session:
        subject_id = access.current_subject(session, ANN).id
    retention.erase_everything(svc, subject_id)
    work()
    assert store.objects == {}
    with svc.reading() as session:
        assert all(copy.gone_at and copy.evidence_id for copy in copies.of_subject(session, subject_id))
        assert access.current_subject(session, ANN).sealed_key is None
        assert generations.view(session, ANN, run_id, clock()).headshots == ()


def test_process_erases_the_portrait_when_the_run_ends_and_headshots_an_hour_later(svc, ask, work, clock, store):
    run_id = ask(contract=Contract.PROCESS)
    work()
    with svc.reading() as session:
        view = generations.view(session, ANN, run_id, clock())
        assert session.get(Copy, view.run.portrait_id).gone_at is not None
    assert len(store.objects) == 2
    clock.advance(minutes=60)
    retention.sweep(svc)
    assert store.objects == {}
