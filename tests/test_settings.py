"""Settings: every problem at once, no secret in a repr, and nothing looser than the policy."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic_settings import SettingsConfigDict

from core.contracts import Contract, offered
from core.errors import BadSettings
from core.settings import Settings, load_settings

KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def secrets_toml(tmp_path) -> Callable[[str], type[Settings]]:
    """Settings that read this text as their secrets.toml."""

    def make(text: str) -> type[Settings]:
        path = tmp_path / "secrets.toml"
        path.write_text(text)

        class Elsewhere(Settings):
            model_config = SettingsConfigDict(toml_file=path)

        return Elsewhere

    return make


def problems(kind=Settings, **given) -> str:
    with pytest.raises(BadSettings) as caught:
        load_settings(kind, **given)
    return str(caught.value)


def test_without_any_setting_it_starts():
    settings = load_settings()

    assert settings.longest_contract is Contract.MONTH
    assert settings.database == f"sqlite:///{settings.data_dir / 'workshot.db'}"
    assert (settings.secure, settings.hosts) == (False, frozenset())


def test_every_problem_is_reported_at_once_and_no_value_with_it(monkeypatch):
    monkeypatch.setenv("MASTER_KEY", "hunter2-is-my-secret")
    monkeypatch.setenv("METRICS_TOKEN_FILE", "/nowhere/at/all")
    monkeypatch.setenv("RUNS_PER_DAY", "0")
    monkeypatch.setenv("QUEUE_LIMIT", "many")
    monkeypatch.setenv("PUBLIC_URL", "workshot.example")
    monkeypatch.setenv("DATABASE_URL", "mysql://root:pw@db/x")
    monkeypatch.setenv("LONGEST_CONTRACT", "24h")

    said = problems()

    for name in ("MASTER_KEY", "METRICS_TOKEN", "RUNS_PER_DAY", "QUEUE_LIMIT", "PUBLIC_URL", "DATABASE_URL"):
        assert f"\n  {name}: " in said
    assert "LONGEST_CONTRACT: Value error, is shorter than DEFAULT_CONTRACT" in said
    for secret in ("hunter2", "root:pw", "nowhere"):
        assert secret not in said


@pytest.mark.parametrize("text", ["60d", "31d", "forever", "720h", ""])
def test_a_contract_longer_than_the_policy_promises_is_refused(text):
    assert "LONGEST_CONTRACT" in problems(longest_contract=text)


@pytest.mark.parametrize("longest", list(Contract))
def test_the_default_is_never_longer_than_the_longest(longest):
    for default in Contract:
        given = {"longest_contract": longest, "default_contract": default}
        if default in offered(longest):
            assert load_settings(**given).default_contract is default
        else:
            assert "DEFAULT_CONTRACT" in problems(**given)


def test_only_shorter_contracts_are_offered():
    assert offered(Contract.DAY) == [Contract.PROCESS, Contract.HOUR, Contract.DAY]
    assert offered(Contract.PROCESS) == [Contract.PROCESS]
    assert offered(Contract.HOUR) == [Contract.PROCESS, Contract.HOUR]
    assert offered(Contract.MONTH) == list(Contract)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("runs_per_day", 0),
        ("runs_per_network_per_day", 0),
        ("queue_limit", 0),
        ("engine_slots", 0),
        ("engine_slots", 17),
        ("lease_seconds", 0.5),
        ("sweep_every_seconds", 0),
        ("trusted_proxies", -1),
        ("trusted_proxies", 6),
        ("worker", "elsewhere"),
        ("master_key", base64.b64encode(b"short").decode()),
        ("master_key", "not base64 at all!"),
        ("public_url", "ftp://x"),
        ("database_url", "postgresql://no-driver/x"),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_name(name, value):
    assert f"\n  {name.upper()}: " in problems(**{name: value})


def test_no_secret_is_in_a_repr():
    settings = load_settings(
        master_key=KEY, database_url="postgresql+psycopg://app:pass-word@db/x", metrics_token="bearer-token"
    )

    for text in (repr(settings), str(settings), str(settings.model_dump())):
        assert KEY not in text and "pass-word" not in text and "bearer-token" not in text
    assert settings.database == "postgresql+psycopg://app:pass-word@db/x"


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().runs_per_day = 99


def test_a_value_may_come_from_a_file_that_the_environment_names(monkeypatch, tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv("MASTER_KEY_FILE", str(tmp_path / "key"))

    assert load_settings().master_key.get_secret_value() == KEY


def test_the_environment_comes_before_its_files_and_those_before_secrets_toml(monkeypatch, tmp_path, secrets_toml):
    kind = secrets_toml("runs_per_day = 2\nqueue_limit = 2\nengine_slots = 2\n")
    (tmp_path / "three").write_text("3")
    monkeypatch.setenv("RUNS_PER_DAY_FILE", str(tmp_path / "three"))
    monkeypatch.setenv("QUEUE_LIMIT_FILE", str(tmp_path / "three"))
    monkeypatch.setenv("QUEUE_LIMIT", "4")

    settings = load_settings(kind)

    assert (settings.engine_slots, settings.runs_per_day, settings.queue_limit) == (2, 3, 4)


def test_secrets_toml_may_be_in_capitals_as_the_environment_is(secrets_toml):
    assert load_settings(secrets_toml("RUNS_PER_DAY = 7\n")).runs_per_day == 7


def test_what_nobody_knows_is_ignored(monkeypatch, secrets_toml):
    monkeypatch.setenv("RUNS_PER_YEAR", "x")

    load_settings(secrets_toml('[google]\nclient_id = "x"\n'), something_else=1)


def test_a_secrets_toml_that_cannot_be_read_says_so_without_its_text(secrets_toml):
    said = problems(secrets_toml('master_key = "hunter2\n'))

    assert "secrets.toml" in said and "hunter2" not in said


def test_a_missing_secrets_toml_is_no_problem():
    class Nowhere(Settings):
        model_config = SettingsConfigDict(toml_file=Path("/nowhere/secrets.toml"))

    load_settings(Nowhere)


def test_https_makes_it_secure_and_hosts_are_a_list():
    settings = load_settings(public_url="https://workshot.example/", allowed_hosts=" a.example, b.example ,")

    assert settings.secure
    assert settings.public_url == "https://workshot.example"
    assert settings.hosts == {"a.example", "b.example"}


# -------------------------------------------------------------------------------------------------------------- S3
S3 = {
    "s3_endpoint_url": "https://account.r2.example",
    "s3_bucket": "portraits",
    "s3_access_key_id": "an-id",
    "s3_secret_access_key": "a-secret",
}


def test_s3_is_used_when_all_four_are_set_and_its_secrets_are_not_shown():
    settings = load_settings(**S3)

    assert settings.uses_s3 and settings.s3_region == "auto"
    assert "an-id" not in repr(settings) and "a-secret" not in repr(settings)
    assert not load_settings().uses_s3


@pytest.mark.parametrize("count", [1, 2, 3])
def test_half_of_s3_is_a_problem_that_names_what_is_missing(count):
    for start in range(len(S3)):
        names = [list(S3)[(start + step) % len(S3)] for step in range(count)]
        with pytest.raises(BadSettings) as caught:
            load_settings(**{name: S3[name] for name in names}, lease_seconds=0)

        missing = str(caught.value).split("missing: ")[1].splitlines()[0].split(", ")
        assert missing == [name.upper() for name in S3 if name not in names]
        assert "LEASE_SECONDS" in str(caught.value), "and every other problem is named with it"


@pytest.mark.parametrize(
    "wrong",
    [
        {"s3_endpoint_url": "account.r2.example"},
        {"s3_bucket": "no/slash"},
        {"s3_bucket": "ab"},
        {"s3_endpoint_url": "https://account.r2.example/portraits"},
        {"s3_endpoint_url": "https://account.r2.example/portraits/"},
        {"s3_region": ""},
    ],
    ids=str,
)
def test_s3_settings_that_cannot_work_are_named(wrong):
    with pytest.raises(BadSettings, match="S3_"):
        load_settings(**(S3 | wrong))
