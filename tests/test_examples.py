"""The examples that ship: they parse, they set what can be set, and they name what is there."""

import os
import shlex
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.__main__ import FINISH_WITHIN, VERBS
from core.settings import ROOT, Settings

EXAMPLES = Path(ROOT) / "data" / "examples"
SECRETS = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}


class Unit(RawConfigParser):
    """A systemd unit: names keep their case and may come more than once."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",))
        self.lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
        self.read_string(path.read_text())

    def all(self, name: str) -> list[str]:
        return [line.partition("=")[2] for line in self.lines if line.startswith(f"{name}=")]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((EXAMPLES / "compose.yaml").read_text())
    return loaded


@pytest.fixture(scope="module")
def unit() -> Unit:
    return Unit(EXAMPLES / "workshot-worker.service")


@pytest.fixture(scope="module", params=["server", "worker", "unit"])
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param != "unit":
        services = request.getfixturevalue("compose")["services"]
        return dict(services[request.param]["environment"])
    return dict(pair.split("=", 1) for pair in request.getfixturevalue("unit").all("Environment"))


def ours(environment: dict[str, str]) -> dict[str, str]:
    elsewhere = ("STREAMLIT_SERVER_", "MALLOC_MMAP_THRESHOLD_")  # Streamlit's, and the C library's
    return {name: value for name, value in environment.items() if not name.startswith(elsewhere)}


def test_every_name_is_a_setting(environment):
    assert {name.removesuffix("_FILE").lower() for name in ours(environment)} <= set(Settings.model_fields)


def test_secrets_come_from_files_alone(environment):
    for name, value in ours(environment).items():
        setting = name.removesuffix("_FILE").lower()
        assert name.endswith("_FILE") == (setting in SECRETS), name
        if name.endswith("_FILE"):
            assert value.startswith(("/run/secrets/", "%d/"))


def test_no_secret_is_written_down():
    for example in EXAMPLES.iterdir():
        assert "PASSWORD=" not in example.read_text() and "PASSWORD:" not in example.read_text()


def test_every_value_is_taken(environment):
    plain = {name.lower(): value for name, value in ours(environment).items() if not name.endswith("_FILE")}
    taken = Settings(**plain)
    assert all(str(getattr(taken, name)) in (value, f"{value}.0") for name, value in plain.items())


def test_the_server_leaves_work_to_the_workers_and_both_share_what_they_must(compose):
    server, worker = (compose["services"][name] for name in ("server", "worker"))
    assert Settings(worker=server["environment"]["WORKER"]).worker == "external"
    assert "WORKER" not in worker["environment"]
    for shared in ("DATA_DIR", "DATABASE_URL_FILE", "MASTER_KEY_FILE", "SIGNING_KEY_FILE"):
        assert server["environment"][shared] == worker["environment"][shared]
    assert server["volumes"] == worker["volumes"]


def test_every_secret_and_volume_that_is_used_is_there(compose):
    for service in compose["services"].values():
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        assert {volume.partition(":")[0] for volume in service.get("volumes", [])} <= set(compose["volumes"])
        files = [value for name, value in service["environment"].items() if name.endswith("_FILE")]
        assert {Path(path).name for path in files} == set(service["secrets"])


def test_the_commands_are_there(compose, unit):
    worker = compose["services"]["worker"]["command"]
    assert worker[:3] == ["python", "-m", "core"] and worker[3] in VERBS
    assert shlex.split(unit.get("Service", "ExecStart"))[1:4] == ["-m", "core", worker[3]]
    streamlit, run, page = compose["services"]["server"]["command"]
    assert (streamlit, run) == ("streamlit", "run") and (Path(ROOT) / page).is_file()


def test_a_worker_has_the_time_that_it_takes_to_finish_a_run(compose, unit):
    grace = int(compose["services"]["worker"]["stop_grace_period"].removesuffix("s"))
    assert min(grace, int(unit.get("Service", "TimeoutStopSec"))) > FINISH_WITHIN


def test_the_image_is_made_of_the_code_and_never_of_what_this_machine_keeps(compose):
    context = compose["services"]["server"]["build"]["context"]
    assert (EXAMPLES / context).resolve() == Path(ROOT)
    rules = [line for line in (Path(ROOT) / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert rules[0] == "*", "everything is out that is not let in"
    assert rules.index("!data") < rules.index("data/local")
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    assert let_in == {"core", "data", "pages", ".streamlit/config.toml", "requirements.txt", "streamlit_app.py"}
    assert all((Path(ROOT) / path).exists() for path in let_in)


def test_every_credential_of_the_unit_is_loaded(unit):
    loaded = {line.partition(":")[0] for line in unit.all("LoadCredential")}
    assert loaded == {pair.rpartition("/")[2] for pair in unit.all("Environment") if "%d" in pair}
    assert unit.get("Service", "User") != "root" and not os.path.isabs(unit.get("Service", "StateDirectory"))
