"""
Settings: read once at start, frozen, every problem reported at once, no secret in a repr.

A value comes from the environment (`NAME`), from a file that the environment names (`NAME_FILE`, as container
secrets do), or from `.streamlit/secrets.toml`, in this order. README lists every name; a test keeps it complete.
"""

import base64
import binascii
import os
import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from core.contracts import Contract, Terms
from core.errors import BadSettings

ROOT = Path(__file__).resolve().parent.parent
LONGEST_PROMISED = Contract.MONTH
"""The published policy says 30 days: a setting may tighten this, never loosen it."""


_S3_SETTINGS = ("s3_endpoint_url", "s3_bucket", "s3_access_key_id")
_BUCKET = re.compile(r"[A-Za-z0-9._-]{3,63}")
_GA4_STREAM, _GA4_SECRET = re.compile(r"G-[A-Z0-9]{4,20}"), re.compile(r"[\w-]{1,100}", re.ASCII)

UNREADABLE = object()
"""Stands for the value of a file that cannot be read, so that it is reported with all other problems."""


class FileNamedByEnvironment(PydanticBaseSettingsSource):
    """`MASTER_KEY_FILE=/run/secrets/key` gives MASTER_KEY."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{field_name.upper()}_FILE")
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text().strip(), field_name, False
        except (OSError, UnicodeDecodeError):
            return UNREADABLE, field_name, False

    def __call__(self) -> dict[str, Any]:
        values = {name: self.get_field_value(f, name)[0] for name, f in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}


class Settings(BaseSettings):
    """All there is to set. Durations are in the unit that the name ends with."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", toml_file=ROOT / ".streamlit" / "secrets.toml", hide_input_in_errors=True
    )

    data_dir: Path = Field(ROOT / "data" / "local", description="Where the embedded defaults keep everything.")
    database_url: SecretStr = Field(SecretStr(""), description="Empty: SQLite in DATA_DIR.")
    master_key: SecretStr = Field(
        SecretStr(""), description="32 bytes, base64. Empty: made on first start in DATA_DIR, mode 0600."
    )
    signing_key: SecretStr = Field(
        SecretStr(""), description="Ed25519, 32 bytes, base64. Empty: made on first start in DATA_DIR, mode 0600."
    )
    signing_keys_retired: str = Field("", description="Public keys that signed before, base64, comma separated.")
    staff_support: str = Field("", description="E-mails that sign in as support by OIDC, comma separated.")
    staff_founders: str = Field("", description="E-mails that sign in as founders by OIDC, comma separated.")
    staff_issuers: str = Field("", description="Issuers believed about e-mails. Empty: the only one configured.")
    s3_endpoint_url: str = Field("", description="An S3 server, R2 first. Empty: images are files in DATA_DIR.")
    s3_bucket: str = Field("", description="The bucket on it, for nothing else.")
    s3_access_key_id: SecretStr = Field(SecretStr(""), description="May read, write, list and erase in that bucket.")
    s3_secret_access_key: SecretStr = Field(
        SecretStr(""), validate_default=True, description="The secret that belongs to it."
    )
    s3_region: str = Field("auto", min_length=1, description="`auto` for R2.")
    public_url: str = Field("", description="How people reach this server. https:// makes cookies Secure.")
    allowed_hosts: str = Field(
        "", description="Host names this server answers to, comma separated. Empty: PUBLIC_URL's and this machine's."
    )
    trusted_proxies: int = Field(0, ge=0, le=5, description="Reverse proxies in front of the server.")
    metrics_token: SecretStr = Field(SecretStr(""), description="Bearer token for /metrics. Empty: this machine only.")

    run_by: str = Field("", description="Who runs this server, named wherever we say who holds a photo.")
    privacy_contact: str = Field("", description="Where people write about their photos.")

    smtp_host: str = Field("", description="Sends our mail. Empty: mail is written to the outbox in DATA_DIR.")
    smtp_port: int = Field(587, ge=1, le=65535, description="587 for STARTTLS, 465 for TLS.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="`none` only on this machine or a network that is yours alone."
    )
    smtp_user: str = Field("", description="Empty: no sign-in.")
    smtp_password: SecretStr = Field(SecretStr(""), description="The password that belongs to it.")
    mail_from: str = Field("", description="The address our mail comes from. Empty: PRIVACY_CONTACT.")
    imap_host: str = Field("", description="The mailbox for deletion requests. Empty: none is read.")
    imap_port: int = Field(993, ge=1, le=65535, description="993 for TLS, 143 for STARTTLS.")
    imap_security: Literal["tls", "starttls", "none"] = Field("tls", description="As SMTP_SECURITY.")
    imap_user: str = Field("", description="Who reads it.")
    imap_password: SecretStr = Field(SecretStr(""), description="The password that belongs to it.")
    imap_folder: str = Field("INBOX", min_length=1, description="The folder that is read.")
    mail_every_seconds: float = Field(60.0, ge=1, description="How often the mailbox is read.")
    alert_urls: SecretStr = Field(
        SecretStr(""), description="Whom to tell before a request is late: addresses of Apprise, space separated."
    )

    apimart_api_key: SecretStr = Field(SecretStr(""), description="Offers APIMart as an engine. Empty: it is not.")
    apimart_base_url: str = Field("https://api.apimart.ai", description="APIMart, or a mirror of it.")
    apimart_model: str = Field(
        "gemini-3.1-flash-image-preview", min_length=1, description="Which model, of `data/provider_models.json`."
    )
    apimart_price_usd: float | None = Field(None, ge=0, description="Of one headshot. Empty: as listed there.")
    apimart_result_hosts: str = Field(
        "getapib.org, upload.apimart.ai, cdn.apimart.ai",
        description="Hosts that results are fetched from, comma separated; no others.",
    )
    apimart_hand_over: Literal["link", "inline", "upload"] = Field(
        "inline",
        description="How it gets the photo: `link` (PUBLIC_URL serves it once), `inline` (in the request itself), "
        "`upload` (leaves a public copy there for 72 h).",
    )
    apimart_read_seconds: float = Field(15.0, gt=0, le=120, description="How long an answer may take.")
    apimart_submit_seconds: float = Field(45.0, gt=0, le=300, description="How long it may take to accept a run.")
    apimart_at_once: int = Field(20, ge=1, le=1000, description="Headshots being made there at once, by all workers.")
    apimart_per_minute: int = Field(60, ge=1, description="Headshots asked of it in a minute, by all workers.")
    apimart_daily_budget_usd: float = Field(0.0, ge=0, description="The engine closes for the UTC day. 0: no limit.")
    apimart_monthly_budget_usd: float = Field(0.0, ge=0, description="The same for the month. 0: no limit.")
    apimart_balance_warning_usd: float = Field(1.0, ge=0, description="Founders are warned below this balance.")

    c2pa_certificate: str = Field("", description="PEM, with those above it: headshots made here are signed with it.")
    c2pa_key: SecretStr = Field(SecretStr(""), validate_default=True, description="Its private key, PEM.")

    default_contract: Contract = Field(Contract.MONTH, description="What is chosen for a new run.")
    longest_contract: Contract = Field(LONGEST_PROMISED, description="The longest a person may choose.")
    longest_days: int = Field(
        30, ge=1, description="No clock is longer, whatever its contract is called. The policy promises at most 30."
    )
    runs_per_day: int = Field(10, ge=1, description="Runs per person and UTC day.")
    runs_per_network_per_day: int = Field(60, ge=1, description="Runs per network and UTC day, counted softly.")
    queue_limit: int = Field(20, ge=1, description="Runs that may wait; beyond it the page says so.")

    small_count: int = Field(5, ge=5, le=100, description="Usage shows no count of people's doings below this.")
    summary_to: str = Field("", description="Founders who get a summary by mail each Monday, comma separated.")
    ga4_measurement_id: str = Field("", description="Also counts consenting visitors at Google Analytics 4.")
    ga4_api_secret: SecretStr = Field(SecretStr(""), validate_default=True, description="Of its Measurement Protocol.")

    jurisdiction: str = Field("", description="The law that the policy names, as `Germany`.")
    authority: str = Field("", description="The data protection authority that it names for complaints.")
    backup_days: int = Field(0, ge=0, description="How long you keep backups of the database. 0: none are made.")
    look_at_reported: bool = Field(False, description="Two operators together may look at a reported image.")
    records_months: int = Field(
        12, ge=1, le=12, description="How long what was done for somebody stays noted after their last image."
    )
    policy_notice_days: int = Field(14, ge=14, description="A policy that promises less is in force after so long.")
    promises_every_seconds: float = Field(300.0, ge=10, description="How often every promise is measured.")

    worker: Literal["embedded", "external"] = Field(
        "embedded", description="`external`: this server runs no jobs; start `python -m core worker`."
    )
    engine_slots: int = Field(1, ge=1, le=16, description="Runs at once in one worker, about 450 MB each.")
    lease_seconds: float = Field(15.0, ge=1, description="After this long a dead worker's job is taken over.")
    sweep_every_seconds: float = Field(60.0, ge=1, description="How often what is due is looked for.")
    erase_early_hours: int = Field(
        24, ge=0, le=48, description="Clocks of more than 24 hours end so much early: time to mend a worker."
    )
    sweep_cap: int = Field(1000, ge=1, description="A sweep that would erase more by the clock asks an operator.")
    sweep_cap_share: float = Field(
        0.5, gt=0, le=1, description="Or more than this share of the vault, from 200 copies on."
    )
    reconcile_hour: int = Field(3, ge=0, le=23, description="UTC hour at which storage is compared with the rows.")
    canary_every_minutes: int = Field(60, ge=0, description="How often a drawn portrait goes the whole way. 0: never.")

    @field_validator("*", mode="before")
    @classmethod
    def _was_read(cls, value: Any) -> Any:
        if value is UNREADABLE:
            raise ValueError("its _FILE names a file that cannot be read")
        return value

    @field_validator("master_key", "signing_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text:
            decode_key(text)
        return value

    @field_validator("signing_keys_retired")
    @classmethod
    def _are_keys(cls, value: str) -> str:
        for text in listed(value):
            decode_key(text)
        return value

    @field_validator("public_url", "s3_endpoint_url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("s3_bucket")
    @classmethod
    def _is_a_bucket(cls, value: str, info: ValidationInfo) -> str:
        if value and not _BUCKET.fullmatch(value):
            raise ValueError("is not the name of a bucket: 3 to 63 letters, digits, dots and hyphens")
        if value and str(info.data.get("s3_endpoint_url", "")).endswith(f"/{value}"):
            raise ValueError("is already the end of S3_ENDPOINT_URL; take it off there")
        return value

    @field_validator("s3_secret_access_key")
    @classmethod
    def _is_with_all_others(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        """All four or none: half a setting would quietly mean files on this machine."""
        four = {name: info.data.get(name, "in doubt") for name in _S3_SETTINGS} | {"s3_secret_access_key": value}
        missing = [name.upper() for name, given in four.items() if not _plain(given)]
        if missing and len(missing) < len(four):
            raise ValueError(f"the S3 settings are set all four or not at all; missing: {', '.join(missing)}")
        return value

    @field_validator("ga4_measurement_id")
    @classmethod
    def _is_a_stream(cls, value: str) -> str:
        if value and not _GA4_STREAM.fullmatch(value):
            raise ValueError("is not a measurement id, as G-ABCD123456")
        return value

    @field_validator("ga4_api_secret")
    @classmethod
    def _is_with_its_stream(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        secret = value.get_secret_value()
        if bool(secret) != bool(info.data.get("ga4_measurement_id", secret)):
            raise ValueError("GA4_MEASUREMENT_ID and GA4_API_SECRET are set both or not at all")
        if secret and not _GA4_SECRET.fullmatch(secret):
            raise ValueError("copy it anew, without spaces or line breaks")
        return value

    @field_validator("c2pa_key")
    @classmethod
    def _is_with_its_certificate(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if bool(value.get_secret_value()) != bool(info.data.get("c2pa_certificate")):
            raise ValueError("is set together with C2PA_CERTIFICATE, or not at all")
        return value

    @field_validator("database_url")
    @classmethod
    def _is_known(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite:/// or postgresql+psycopg://")
        return value

    @field_validator("longest_contract")
    @classmethod
    def _within_the_promise(cls, longest: Contract, info: ValidationInfo) -> Contract:
        if not longest.no_longer_than(LONGEST_PROMISED):
            raise ValueError("is longer than the policy promises")
        default: Contract = info.data.get("default_contract", longest)
        if not default.no_longer_than(longest):
            raise ValueError("is shorter than DEFAULT_CONTRACT; set that one too")
        return longest

    @property
    def uses_s3(self) -> bool:
        return bool(self.s3_bucket)

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(host.strip() for host in self.allowed_hosts.split(",") if host.strip())

    @property
    def database(self) -> str:
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir / 'workshot.db'}"

    @property
    def erase_early(self) -> timedelta:
        return timedelta(hours=self.erase_early_hours)

    @property
    def terms(self) -> Terms:
        """The contracts as they are offered here."""
        return Terms(longest=self.longest_contract, longest_days=self.longest_days, early=self.erase_early)

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, FileNamedByEnvironment(settings_cls), toml


def listed(text: str) -> list[str]:
    """The items of a comma separated setting."""
    return [item.strip() for item in text.split(",") if item.strip()]


def _plain(value: Any) -> str:
    return str(value.get_secret_value() if isinstance(value, SecretStr) else value)


def decode_key(text: str) -> bytes:
    """32 bytes from base64. Raises ValueError, without the value."""
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as exc:
        raise ValueError("must be base64") from exc
    if len(key) != 32:
        raise ValueError("must be 32 bytes, base64")
    return key


def load_settings(kind: type[Settings] = Settings, **overrides: Any) -> Settings:
    """Read everything, or raise one BadSettings that names every problem."""
    try:
        return kind(**overrides)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise BadSettings("secrets.toml is not TOML. Check its quotes and equal signs.") from None
    except ValidationError as exc:
        problems = [
            f"{'_'.join(str(part) for part in error['loc']).upper() or 'Settings'}: {error['msg']}"
            for error in exc.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise BadSettings("These settings need another value:\n  " + "\n  ".join(problems)) from None
