"""The doctor finds what is wrong, says what to do, and leaves nothing behind."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from core import canary, doctor, erasing, migrations, retention
from core.doctor import Health
from core.models import Copy, FindingKind, FindingRow, ProviderCopy, ProviderHealth, Spending, Subject
from core.ports import HandOver
from core.provider import spending
from tests.provider.outsider import Outsider, beside, given_run_of, given_task, noted

OPERATOR = "operator:o-1"


@pytest.fixture
def svc(svc, tmp_path):
    tmp_path.chmod(0o700)
    return svc


def found(svc):
    return {check.name: check for check in doctor.examine(svc)}


def test_a_healthy_installation_is_well(svc, worker):
    worker.beat()
    healthy = replace(svc, settings=svc.settings.model_copy(update={"privacy_contact": "p@workshot.example"}))

    checks = doctor.examine(healthy)

    names = ("database", "folder", "erasing", "vault", "rule", "engines")
    names += (
        "worker",
        "sweep",
        "clocks",
        "storage",
        "canary",
        "elsewhere",
        "charges",
        "contact",
        "mail",
        "mailbox",
        "alerts",
        "summary",
    )
    others = ("space", "promises")  # of this machine; and of a worker that has measured
    assert {check.name: check.health for check in checks if check.name not in others} == dict.fromkeys(
        names, Health.FINE
    )
    assert doctor.is_well(checks)


def test_its_test_object_goes_the_whole_way_and_leaves_no_key(svc, store):
    seen = []
    store.after_put = lambda key: seen.append(dict(store.objects))
    doctor.examine(svc)

    assert len(seen) == 1 and doctor.CANARY not in next(iter(seen[0].values()))
    assert store.objects == {}
    with svc.reading() as session:
        canary, copy = session.exec(select(Subject)).one(), session.exec(select(Copy)).one()
    assert canary.is_canary and canary.sealed_key is None
    assert copy.gone_at and copy.evidence_id


@pytest.mark.parametrize("fault", ["down", "erases_nothing", "head_refused", "listing_lags"])
def test_a_store_that_is_not_fit_is_found_out_and_its_object_has_a_clock(svc, store, clock, fault):
    setattr(store, fault, True)
    checks = doctor.examine(svc)

    assert {c.name: c.health for c in checks}["vault"] is Health.BROKEN
    assert not doctor.is_well(checks)
    setattr(store, fault, False)
    clock.advance(minutes=10)
    retention.sweep(svc)
    assert store.objects == {}
    with svc.reading() as session:
        assert session.exec(select(Copy)).one().gone_at


def test_a_store_that_gives_other_bytes_is_found_out(svc, store):
    store.after_put = lambda key: store.objects.update({key: b"WS1" + bytes(60)})

    assert found(svc)["vault"].health is Health.BROKEN


def test_a_folder_others_can_read_is_a_warning_with_the_command(svc, tmp_path):
    tmp_path.chmod(0o755)

    assert found(svc)["folder"].health is Health.WARNING
    assert "chmod 700" in found(svc)["folder"].says


def test_a_missing_or_silent_worker_is_a_warning(svc, worker, clock):
    assert found(svc)["worker"].health is Health.WARNING
    worker.beat()
    clock.advance(minutes=2)
    assert "No worker since" in found(svc)["worker"].says


def test_what_is_past_its_clock_is_broken(svc, ask, work, clock):
    ask()
    work()
    clock.advance(days=30, minutes=10, seconds=1)

    assert found(svc)["clocks"].health is Health.BROKEN
    retention.sweep(svc)
    assert found(svc)["clocks"].health is Health.FINE


def test_a_database_of_another_version_is_broken_and_says_what_to_run(svc):
    newest = migrations.newest()
    with svc.database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'old'")
    check = found(svc)["database"]
    with svc.database.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest})

    assert check.health is Health.BROKEN and "migrate" in check.says


def test_a_check_that_cannot_run_is_a_finding_without_its_message(svc):
    lost = replace(svc, settings=svc.settings.model_copy(update={"data_dir": svc.settings.data_dir / "nowhere"}))

    check = found(lost)["folder"]
    assert (check.health, check.says) == (Health.BROKEN, "This could not be checked (FileNotFoundError).")


def test_space_is_told_in_numbers(svc):
    assert found(svc)["space"].says.endswith("GiB free in DATA_DIR")


def test_stopped_erasing_is_broken_and_no_test_object_is_left_behind(svc, store):
    erasing.stop(svc, reason="wrong-clock", actor=OPERATOR)

    checks = found(svc)
    assert checks["erasing"].health is Health.BROKEN and "erasing start" in checks["erasing"].says
    assert checks["vault"].health is Health.WARNING
    assert store.objects == {}


def test_a_sweep_that_waits_for_an_operator_is_broken_and_names_the_plan(svc, ask, work, clock, limit_to):
    ask(variants=2)
    work()
    clock.advance(days=30)
    retention.sweep(limit_to(sweep_cap=2))

    check = found(svc)["sweep"]
    assert check.health is Health.BROKEN and retention.hold(svc).plan_hash in check.says


def test_the_margin_is_said(svc, limit_to):
    assert "24 h early" in found(limit_to(erase_early_hours=24))["sweep"].says
    assert "No clock has a margin" in found(svc)["sweep"].says


def test_a_bucket_without_a_rule_is_broken_and_the_mend_is_there(svc, store):
    store.rules = []

    check = found(svc)["rule"]
    assert check.health is Health.BROKEN
    assert "clock 30 d · policy 30 d" in check.says and '"Days": 30' in check.says


def test_what_the_comparison_left_and_a_canary_that_failed_are_warnings(svc, store):
    store.put("ab" * 20, b"stray")
    store.clock = svc.clock
    with svc.transaction() as session:
        session.add(FindingRow(kind=FindingKind.UNTRACKED, ref="ab" * 20, size=5, detail="no row",
                               first_seen_at=svc.clock(), last_seen_at=svc.clock()))  # fmt: skip
    assert "1 untracked" in found(svc)["storage"].says
    store.down = True
    canary.release(svc)

    check = found(svc)["canary"]
    assert (check.health, check.says) == (Health.WARNING, "The last canary failed (storage_unavailable).")


def test_what_lies_at_third_parties_is_said_and_what_does_not_end_is_a_warning(svc, given_copy, clock):
    beside_it = beside(svc, Outsider(hand_over=HandOver.INLINE))
    assert found(beside_it)["elsewhere"].says == "Nothing lies at a third party, and nothing did."
    photo = given_copy(ends_in=timedelta(days=9))
    copy = noted(beside_it, given_task(svc, given_run_of(svc, photo.subject_id, photo.id)))
    assert found(beside_it)["elsewhere"].health is Health.FINE
    gone = found(svc)["elsewhere"]
    assert gone.health is Health.WARNING and "Nobody can look after 1 of them" in gone.says
    clock.advance(days=1)
    assert "1 copy past the end and not proved gone yet" in found(beside_it)["elsewhere"].says
    with svc.transaction() as session:
        session.get_one(ProviderCopy, copy.id).open_at = clock.now
    late = found(beside_it)["elsewhere"]
    assert late.health is Health.WARNING and "1 copy open after the end" in late.says


def test_a_link_that_leads_nowhere_is_found_before_a_person_waits_for_it(svc):
    by_link = beside(svc, Outsider())
    assert found(by_link)["elsewhere"].health is Health.BROKEN
    reached = replace(by_link, settings=svc.settings.model_copy(update={"public_url": "https://photos.example.org"}))
    assert found(reached)["elsewhere"].health is Health.FINE


def test_what_is_left_at_a_third_party_and_whether_it_takes_anything_is_said(svc, clock):
    outsider = Outsider(hand_over=HandOver.INLINE)
    paid = beside(svc, outsider)
    assert found(svc)["charges"].says == "Everything is made on this server: nothing is charged"
    assert found(paid)["charges"].says == "APIMart has not said yet what is left there."

    spending.look_at_balance(paid)
    assert found(paid)["charges"].health is Health.FINE
    with svc.transaction() as session:
        session.add(
            Spending(day=clock.now.replace(hour=0), provider="apimart", model="nano", doubtful=2, possible=30_000)
        )
    told = found(paid)["charges"]
    assert told.health is Health.FINE and "could not be confirmed in 30 days: 2, up to $0.03." in told.says

    outsider.left = 400_000
    spending.look_at_balance(paid)
    low = found(paid)["charges"]
    assert low.health is Health.WARNING and "$0.40 left at APIMart" in low.says and "less than $1.00" in low.says

    outsider.left = 4_000_000
    spending.look_at_balance(paid)
    with svc.transaction() as session:
        session.get_one(ProviderHealth, "apimart").closed_until = clock.now + timedelta(minutes=2)
    closed = found(paid)["charges"]
    assert closed.health is Health.WARNING and "APIMart is not answering just now." in closed.says
