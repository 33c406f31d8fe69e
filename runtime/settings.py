"""What an installation is told: `ledgerline.yaml`, overruled by `LEDGERLINE_…` environment variables.

`LEDGERLINE_RECEIVER__PORT=8090` overrules `receiver: {port: …}`. Secrets are best given as `env:NAME` or `file:PATH`.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from runtime.accounts import AnyAccount, CapsuleAccount, CrmAccount, FreshBooksAccount, ZohoCrmAccount
from runtime.alert_urls import allowed_channel, allowed_heartbeat
from runtime.billing import BillingFlow
from runtime.console import Console
from runtime.fields import Duration, Port, Secret, Section
from runtime.opportunities import OpportunitiesFlow
from runtime.payments import PaymentsFlow
from runtime.projects import ProjectsFlow
from runtime.reconciliation import ReconciliationRules
from runtime.reports import ReportRules

REFERENCE_FIELDS = {"capsule": "Ledgerline reference", "zoho_crm": "Ledgerline_Reference"}
CONNECTION_NAME = r"^[a-z][a-z0-9-]{0,39}$"


class ClientsFlow(Section):
    """How parties and clients follow each other."""

    direction: Literal["both", "to-books"] = "both"
    sweep_every: Duration = timedelta(minutes=5)
    # More creates than this within an hour, or in a first sweep, wait for a person: a wrong mapping must not flood us.
    bulk_limit: Annotated[int, Field(ge=0)] = 200
    # What becomes of a client whose party was deleted in the CRM; more than `delete_limit` of them a day are held.
    when_party_deleted: Literal["archive", "keep"] = "archive"
    delete_limit: Annotated[int, Field(ge=0)] = 10
    # The text custom field of parties that carries our reference on those that we create: by its name in Capsule, and
    # in Zoho CRM by its API name. Unless it is named here, it is the one that `ledgerline connect` makes.
    reference_field: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    default_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    default_language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None
    phone_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    mapping: dict[str, Any] = Field(default_factory=dict)


class Connection(Section):
    """One CRM's account paired with one FreshBooks account."""

    capsule: CapsuleAccount | None = None
    zoho_crm: ZohoCrmAccount | None = None
    freshbooks: FreshBooksAccount
    # After a create whose answer was lost we wait this long before we look whether it happened: longer than the
    # provider's search index lags and longer than a request can still commit. Nobody publishes either.
    settle_time: Duration = timedelta(seconds=60)
    request_timeout: Duration = timedelta(seconds=60)
    clients: ClientsFlow = ClientsFlow()
    opportunities: OpportunitiesFlow | None = None
    payments: PaymentsFlow | None = None
    billing: BillingFlow | None = None
    projects: ProjectsFlow | None = None
    reports: ReportRules = ReportRules()
    reconciliation: ReconciliationRules = ReconciliationRules()

    @model_validator(mode="after")
    def _one_crm(self) -> Self:
        if (self.capsule is None) == (self.zoho_crm is None):
            raise ValueError("give one CRM: either `capsule` or `zoho_crm` (a second CRM is a connection of its own)")
        return self

    @model_validator(mode="after")
    def _field_by_api_name(self) -> Self:
        if self.zoho_crm is not None and not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", self.reference_field):
            raise ValueError("in Zoho CRM `clients.reference_field` is the API name of a field, such as Our_Reference")
        return self

    @property
    def crm(self) -> str:
        """The system that stands on the CRM's side."""
        return "zoho_crm" if self.zoho_crm is not None else "capsule"

    @property
    def crm_account(self) -> CrmAccount:
        """The account on the CRM's side."""
        return next(account for account in (self.capsule, self.zoho_crm) if account is not None)

    @property
    def accounts(self) -> Mapping[str, AnyAccount]:
        """Both accounts, by system."""
        return {self.crm: self.crm_account, "freshbooks": self.freshbooks}

    @property
    def compared_flows(self) -> tuple[str, ...]:
        """The flows whose both sides can be compared: those that are synced."""
        synced = {"clients": True, "opportunities": self.opportunities, "payments": self.payments}
        return tuple(flow for flow, settings in synced.items() if settings)

    @property
    def reference_field(self) -> str:
        """The custom field of parties that carries our reference on those that we create."""
        return self.clients.reference_field or REFERENCE_FIELDS[self.crm]


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
    """Where the sandbox stands when no account is configured. Each CRM has a FreshBooks of its own."""

    capsule_port: Port = 8301
    freshbooks_port: Port = 8302
    zoho_crm_port: Port = 8303
    zoho_freshbooks_port: Port = 8304
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
    console: Console = Console()
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
    def with_projects(self) -> frozenset[str]:
        """The connections whose won opportunities become projects."""
        return frozenset(name for name, each in self.connections.items() if each.projects is not None)

    @property
    def public_url(self) -> str | None:
        """Where providers reach the receiver, without a trailing slash; None if they cannot."""
        return self.receiver.public_url
