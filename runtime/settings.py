"""What an installation is told: `ledgerline.yaml`, overruled by `LEDGERLINE_…` environment variables.

`LEDGERLINE_RECEIVER__PORT=8090` overrules `receiver: {port: …}`. Secrets are best given as `env:NAME` or `file:PATH`.
"""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from runtime.alert_urls import allowed_channel, allowed_heartbeat

DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
CONNECTION_NAME = r"^[a-z][a-z0-9-]{0,39}$"


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("write a length of time such as 30s, 5m or 2h")
    return timedelta(**{UNITS[match[2]]: float(match[1])})


def _secret(value: object) -> object:
    """Follow `env:NAME` and `file:PATH`, so that the settings file itself can stay free of secrets."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(text, str) and text.startswith("env:"):
        name = text.removeprefix("env:")
        if not os.environ.get(name):
            raise ValueError(f"the environment variable {name} is not set")
        return os.environ[name]
    if isinstance(text, str) and text.startswith("file:"):
        path = Path(text.removeprefix("file:"))
        try:
            return path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the file {path} cannot be read") from error
    return value


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("write an IANA time zone such as Europe/Berlin") from error
    return name


def _redirect_uri(address: str) -> str:
    parts = urlsplit(address)
    here = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}
    if not (parts.scheme == "https" or here) or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("write an https:// address (or http://127.0.0.1:PORT/…) without a query, as you registered it")
    return address


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Secret = Annotated[SecretStr, BeforeValidator(_secret)]
Port = Annotated[int, Field(ge=1, le=65535)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
RedirectUri = Annotated[str, AfterValidator(_redirect_uri)]


class Section(BaseModel):
    """A part of the settings: unknown names are mistakes, not wishes."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Account(Section):
    """How we get into one account: with a fixed token, or as a registered application that a person connected."""

    token: Secret = SecretStr("")
    client_id: Annotated[str, Field(max_length=200)] = ""
    client_secret: Secret = SecretStr("")
    redirect_uri: RedirectUri = "http://127.0.0.1:8484/connected"

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        fixed, registered = bool(self.token.get_secret_value()), bool(self.client_id)
        if fixed and (registered or self.client_secret.get_secret_value()):
            raise ValueError("give either `token`, or `client_id` and `client_secret`, not both")
        if not fixed and not (registered and self.client_secret.get_secret_value()):
            raise ValueError("give either `token`, or `client_id` and `client_secret` (see docs/connecting.md)")
        return self

    @property
    def is_registered(self) -> bool:
        """Whether a person connects this account, rather than the settings holding its token."""
        return bool(self.client_id)


class CapsuleAccount(Account):
    """One Capsule account. Source of the quota: https://developer.capsulecrm.com/v2/overview/handling-api-responses."""

    base_url: str = "https://api.capsulecrm.com"
    requests_per_hour: Annotated[int, Field(gt=0)] = 4000

    @property
    def calls_per_second(self) -> float:
        """The pace that uses the hourly quota up and no more."""
        return self.requests_per_hour / 3600


class FreshBooksAccount(Account):
    """One FreshBooks account. No quota is published: the default is half of what its headers were seen to say."""

    # FreshBooks insists on https: nothing listens there, and the person copies the address that the browser shows.
    redirect_uri: RedirectUri = "https://localhost/connected"
    account_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{0,40}$")] = ""
    base_url: str = "https://api.freshbooks.com"
    requests_per_minute: Annotated[int, Field(gt=0)] = 300

    @property
    def calls_per_second(self) -> float:
        """The pace that uses the quota up and no more."""
        return self.requests_per_minute / 60

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.is_registered and not self.account_id:
            raise ValueError("`account_id` must be set beside `token`; only `ledgerline connect` can find it out")
        return self


class ClientsFlow(Section):
    """How parties and clients follow each other."""

    direction: Literal["both", "to-books"] = "both"
    sweep_every: Duration = timedelta(minutes=5)
    # More creates than this within an hour, or in a first sweep, wait for a person: a wrong mapping must not flood us.
    bulk_limit: Annotated[int, Field(ge=0)] = 200
    # What becomes of a client whose party was deleted in the CRM; more than `delete_limit` of them a day are held.
    when_party_deleted: Literal["archive", "keep"] = "archive"
    delete_limit: Annotated[int, Field(ge=0)] = 10
    # The text custom field of parties that carries our reference on those that we create.
    reference_field: Annotated[str, Field(min_length=1, max_length=100)] = "Ledgerline reference"
    default_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    default_language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None
    phone_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    mapping: dict[str, Any] = Field(default_factory=dict)


class Connection(Section):
    """One Capsule account paired with one FreshBooks account."""

    capsule: CapsuleAccount
    freshbooks: FreshBooksAccount
    # After a create whose answer was lost we wait this long before we look whether it happened: longer than the
    # provider's search index lags and longer than a request can still commit. Nobody publishes either.
    settle_time: Duration = timedelta(seconds=60)
    request_timeout: Duration = timedelta(seconds=60)
    clients: ClientsFlow = ClientsFlow()

    @property
    def crm(self) -> str:
        """The system that stands on the CRM's side."""
        return "capsule"


class Receiver(Section):
    """Where webhooks arrive. Providers reach it at `public_url`; without one, sweeps do all the work."""

    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: str | None = None

    @field_validator("public_url")
    @classmethod
    def _https(cls, url: str | None) -> str | None:
        loopback = url is not None and re.match(r"^http://(127\.0\.0\.1|localhost)(:\d+)?(/|$)", url)
        if url is not None and not url.startswith("https://") and not loopback:
            raise ValueError("must begin with https:// (providers send personal data's ids to it)")
        return url.rstrip("/") if url else url


class Temporal(Section):
    """The embedded Temporal server. An existing cluster is named with the standard TEMPORAL_… variables instead."""

    port: Port = 7233
    ui_port: Port = 8233


class Codec(Section):
    """Decrypts payloads for the Temporal UI, and for whoever else reaches it: keep it on loopback."""

    host: str = "127.0.0.1"
    port: Port = 8081
    ui_origins: tuple[str, ...] = ()


class Metrics(Section):
    """Where Prometheus finds the numbers of the worker and of the receiver."""

    host: str = "127.0.0.1"
    worker_port: Port = 9464
    receiver_port: Port = 9465


class Alerts(Section):
    """How people are told what needs them. See docs/alerts.md; without `urls` alerts are only listed."""

    urls: tuple[Annotated[Secret, AfterValidator(allowed_channel)], ...] = ()
    # What is cured within this time is not told at all; what comes together within it is one message.
    group_for: Duration = timedelta(minutes=1)
    # Between two messages of one connection and reason.
    quiet_for: Duration = timedelta(minutes=15)
    # No sweep of a connection has ended for this long, and for three times its interval.
    silence_after: Duration = timedelta(minutes=15)
    # Changes or tasks have waited for this long.
    backlog_after: Duration = timedelta(minutes=10)
    # Called after every watch that found itself able to look and to tell, for a monitor elsewhere.
    heartbeat_url: Annotated[Secret, AfterValidator(allowed_heartbeat)] | None = None


class SandboxPorts(Section):
    """Where the sandbox stands when no account is configured."""

    capsule_port: Port = 8301
    freshbooks_port: Port = 8302
    records: Annotated[int, Field(ge=0, le=200_000)] = 25
    seed: int = 1


class Settings(BaseSettings):
    """Everything an installation can be told."""

    model_config = SettingsConfigDict(
        env_prefix="LEDGERLINE_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    data: Path = Path("data")
    database_url: Secret | None = None
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    receiver: Receiver = Receiver()
    temporal: Temporal = Temporal()
    codec: Codec = Codec()
    metrics: Metrics = Metrics()
    alerts: Alerts = Alerts()
    sandbox: SandboxPorts = SandboxPorts()
    connections: dict[Annotated[str, Field(pattern=CONNECTION_NAME)], Connection] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment overrules the file; nothing else is read."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @property
    def store_url(self) -> str:
        """The SQLAlchemy address of the store: SQLite in the data folder unless told otherwise."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{(self.data / 'ledgerline.db').resolve()}"

    @property
    def crms(self) -> dict[str, str]:
        """The CRM of each connection."""
        return {name: connection.crm for name, connection in self.connections.items()}

    @property
    def public_url(self) -> str | None:
        """Where providers reach the receiver, without a trailing slash; None if they cannot."""
        return self.receiver.public_url
