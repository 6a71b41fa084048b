"""`python -m core`, as an operator's script sees it: its answers, its exit status, and where it writes."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core import bootstrap, copies, policy
from core.__main__ import main
from core.models import CopyKind, Subject, new_id
from core.settings import ROOT, load_settings
from tests.inbox import letter
from tests.peers.dovecot import PASSWORD, USER


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def environment(data_dir, tmp_path, database_setting):
    (tmp_path / "home").mkdir()
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "VIRTUAL_ENV")}
    return kept | {
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": database_setting,
        "HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SWEEP_EVERY_SECONDS": "3600",
    }


@pytest.fixture
def start(environment, tmp_path):
    """A process of its own, as an operator's script would start it. Each costs a second or two."""

    def run(*arguments):
        command = [sys.executable, "-m", "core", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout

    return run


@pytest.fixture
def core(environment, monkeypatch, capsys):
    """The same inside this process."""

    def run(*arguments, **extra):
        for name, value in (environment | extra).items():
            monkeypatch.setenv(name, value)
        try:
            status = main(list(arguments))
        except SystemExit as exc:
            status = exc.code
        return status, capsys.readouterr().out

    return run


SWEPT = {"gone": 0, "not_proved": 0, "kept": 0, "stopped": False, "held": False, "overdue": 0, "plan": None}


def written(folder: Path):
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def overdue(data_dir, database_setting):
    """Two images whose clocks ran out a minute ago, and one that is kept."""
    svc = bootstrap.build(load_settings(data_dir=data_dir, database_url=database_setting))
    now = datetime.now(UTC)
    for ends_at in (now - timedelta(minutes=1), now - timedelta(minutes=1), now + timedelta(days=1)):
        with svc.transaction() as session:
            subject = Subject(id=new_id(), created_at=now)
            subject.sealed_key = svc.vault.make_key(subject.id)
            session.add(subject)
            session.flush()
            given = {"subject_id": subject.id, "kind": CopyKind.PORTRAIT, "width": 1, "height": 1, "size": 6, "at": now}
            copy = copies.plan(session, **given, erase_by=ends_at)
            svc.vault.put(subject, copy, b"a face")
            copy.written_at = now
            session.add(copy)
    svc.database.dispose()
    return lambda: len([path for path in (data_dir / "vault").rglob("*") if path.is_file()]) - 1


def test_migrate_says_from_where_to_where(environment, start, core, data_dir, tmp_path, database_setting, request):
    if database_setting:
        environment["DATABASE_URL"] = request.getfixturevalue("cluster").create()  # one that was never migrated
    status, out = start("migrate", "--json")
    newest = json.loads(out)["after"]
    assert (status, json.loads(out)["before"]) == (0, None)
    assert core("migrate", "--json") == (0, json.dumps({"before": newest, "after": newest}) + "\n")

    assert written(tmp_path) == written(data_dir), "nothing is written outside DATA_DIR"


def test_doctor_tells_people_and_scripts_the_same(start, core, data_dir, tmp_path):
    status, out = start("doctor", "--json")
    answer = json.loads(out)
    assert (status, answer["well"]) == (0, True)
    assert {check["name"]: check["health"] for check in answer["checks"]}["vault"] == "fine"

    status, out = core("doctor")
    assert status == 0
    assert all(check["name"] in out for check in answer["checks"])
    assert written(tmp_path) == written(data_dir), "nothing is written outside DATA_DIR"


def test_doctor_fails_where_something_is_broken(start, overdue, data_dir):
    (data_dir / "vault" / ".workshot-vault").unlink()

    status, out = start("doctor", "--json")

    assert (status, json.loads(out)["well"]) == (1, False)


def test_a_dry_sweep_lists_what_is_due_and_erases_nothing(core, overdue):
    status, out = core("sweep", "--dry-run", "--json")

    answer = json.loads(out)
    due = answer["due"]
    assert (status, len(due), overdue()) == (0, 2, 3)
    assert set(due[0]) == {"id", "kind", "size", "erase_by", "why"}
    assert (answer["total"], answer["left_out"], answer["reasons"]) == (2, 0, {"contract": 2})
    assert answer["valid_from"] < answer["valid_until"]


def test_a_plan_that_was_looked_at_may_run_and_another_may_not(core, overdue):
    plan = json.loads(core("sweep", "--dry-run", "--json")[1])["plan"]

    status, out = core("sweep", "--confirm", plan[:-1] + ("0" if plan[-1] != "0" else "1"), "--json")
    assert (status, json.loads(out)["error"], overdue()) == (2, "stale_plan", 3)
    status, out = core("sweep", "--confirm", plan, "--json")
    assert (status, json.loads(out)["gone"], overdue()) == (0, 2, 1)


def test_beyond_the_cap_a_sweep_asks_and_names_the_plan_that_may_run(core, overdue):
    status, out = core("sweep", "--json", SWEEP_CAP="1")
    answer = json.loads(out)
    assert (status, answer["held"], answer["gone"], overdue()) == (1, True, 0, 3)
    status, out = core("doctor")
    assert status == 1 and f"sweep --confirm {answer['plan']}" in out

    status, out = core("sweep", "--confirm", answer["plan"], "--json", SWEEP_CAP="1")

    assert (status, json.loads(out)["gone"], overdue()) == (0, 2, 1)


def test_the_switch_stops_everything_and_says_so(core, overdue):
    assert core("erasing", "stop")[0] == 2, "a reason is wanted"
    status, out = core("erasing", "stop", "--reason", "wrong-clock")
    assert status == 0 and out.startswith("Erasing is stopped since")
    assert json.loads(core("erasing", "state", "--json")[1])["reason"] == "wrong-clock"

    status, out = core("sweep", "--json")
    assert (status, json.loads(out)["stopped"], overdue()) == (1, True, 3)
    assert core("doctor")[0] == 1
    assert core("canary")[0] == 1
    assert core("erasing", "start")[0] == 0
    assert core("sweep")[0] == 0 and overdue() == 1


def test_storage_is_compared_and_mended_where_it_is_asked_for(core, overdue, data_dir):
    core("sweep")
    (path,) = (p for p in (data_dir / "vault").rglob("*") if p.is_file() and p.name[0] != ".")
    path.write_bytes(path.read_bytes()[:-1])

    status, out = core("reconcile", "--json")
    assert (status, json.loads(out)["left"]["mismatch"], overdue()) == (1, 1, 1)
    status, out = core("reconcile", "--mend", "mismatch", "--json")
    assert (status, json.loads(out)["mended"], overdue()) == (0, {"mismatch": {"mended": 1}}, 0)
    assert core("reconcile") == (0, "0 objects against 0 rows.\nThey agree.\n")


def test_a_canary_goes_the_whole_way_under_every_contract(core):
    status, out = core("canary", "--json")

    answer = json.loads(out)
    assert (status, answer["well"]) == (0, True)
    assert [each["contract"] for each in answer["canaries"]] == ["process", "1h", "24h", "72h", "7d", "30d"]


def test_a_sweep_erases_and_a_second_one_finds_nothing(start, core, overdue):
    status, out = start("sweep", "--json")
    assert (status, json.loads(out)) == (
        0,
        {"dry_run": False, **SWEPT, "gone": 2},
    )
    assert overdue() == 1
    status, out = core("sweep")
    assert (status, out) == (0, "0 erased and proved gone, 0 not proved yet, 0 past their clock.\n")


def test_a_sweep_that_could_not_prove_everything_fails(core, overdue, data_dir):
    (data_dir / "vault" / ".workshot-vault").unlink()

    status, out = core("sweep", "--json")

    assert status == 1
    assert json.loads(out) == {"dry_run": False, **SWEPT, "not_proved": 2, "overdue": 2}


def test_bad_settings_are_one_answer_that_names_them_all(core):
    status, out = core("doctor", "--json", RUNS_PER_DAY="0", QUEUE_LIMIT="-1")

    answer = json.loads(out)
    assert (status, answer["error"]) == (2, "bad_settings")
    assert "RUNS_PER_DAY" in answer["says"] and "QUEUE_LIMIT" in answer["says"]


def test_a_database_that_is_away_is_an_answer_and_no_traceback(core):
    for verb in ("migrate", "doctor"):
        status, out = core(verb, "--json", DATABASE_URL="postgresql+psycopg://app:pass-word@127.0.0.1:1/x")
        assert (status, json.loads(out)["error"]) == (2, "bad_settings")
        assert "pass-word" not in out


def test_a_verb_that_is_not_there_is_refused(core):
    assert core("frobnicate")[0] == 2
    assert core()[0] == 2


def test_versions_of_the_policy_are_listed_and_one_in_force_stays(core, data_dir, database_setting):
    status, told = core("policy", "--json")
    assert (status, json.loads(told)) == (0, {"versions": []})
    svc = bootstrap.build(load_settings(data_dir=data_dir, database_url=database_setting))
    name = policy.note(svc).id
    svc.database.dispose()
    (listed,) = json.loads(core("policy", "list", "--json")[1])["versions"]
    assert (listed["version"], listed["state"]) == (name, "in force")
    assert f"{name}  in force, " in core("policy")[1]
    for other in (name, "of_nobody"):
        assert core("policy", "withdraw", other)[0] == 2


def test_mail_fetch_reads_the_mailbox_of_a_server_that_is_trusted(core, mail_server):
    assert core("mail", "fetch", "--json")[0] == 2, "there is no mailbox"
    mail_server.empty()
    mail_server.put(letter(), letter("Hello"), at=datetime.now(UTC))
    reached = {"IMAP_HOST": "127.0.0.1", "IMAP_PORT": str(mail_server.tls_port), "IMAP_USER": USER}
    reached |= {"IMAP_PASSWORD": PASSWORD, "MAIL_FROM": "privacy@workshot.example"}
    status, out = core("mail", "fetch", "--json", **reached)
    assert (status, json.loads(out)["failure"]) == (1, "untrusted")

    reached["SSL_CERT_FILE"] = str(mail_server.authority)
    status, out = core("mail", "fetch", "--json", **reached)
    answer = json.loads(out)
    assert (status, answer["read"], answer["unsorted"]) == (0, {"request": 1, "unsorted": 1}, 1)
    status, out = core("mail", "fetch", **reached)
    assert (status, out) == (0, "0 read, 0 removed, 1 wait for a person.\n")


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_sweeps_and_stops_when_told_to(environment, overdue, tmp_path, data_dir, database_setting, name):
    process = subprocess.Popen(
        [sys.executable, "-m", "core", "worker", "--json"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert json.loads(process.stdout.readline()) == {"worker": "started"}
        svc = bootstrap.build(load_settings(data_dir=data_dir, database_url=database_setting))
        assert until(lambda: overdue() == 1)
        process.send_signal(name)
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, json.loads(out)) == (0, {"worker": "stopped"})
    with svc.reading() as session:
        beats = session.execute(bootstrap.sa.text("SELECT count(*) FROM worker_beat")).scalar_one()
    svc.database.dispose()
    assert beats == 0, "a worker that ends in good order is not one that died"


def until(is_so):
    waiting = threading.Event()
    return any(is_so() or waiting.wait(0.05) for _ in range(400))
