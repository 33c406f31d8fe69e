"""FreshBooks' time entries, projects, services and rates, as far as we read them. Team members stand with documents.

Source: https://www.freshbooks.com/api/time_entries, /api/project, /api/services, /api/team-members
"""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

from connectors.freshbooks.document_models import Day
from connectors.freshbooks.models import Numbered, UtcInstant
from connectors.freshbooks.payment_models import Reference
from connectors.models import Record, Rows


def _empty_is_none(value: Any) -> Any:
    return None if value == "" else value


Amount = Annotated[Decimal | None, BeforeValidator(_empty_is_none)]
"""An amount without its currency, which FreshBooks does not say. Exact; an empty text is none."""


class Timer(Record):
    """The clock behind a time entry."""

    id: int | None = None
    is_running: bool | None = None


class TimeEntry(Numbered):
    """Work that somebody logged. `duration` is in seconds, None while a timer runs, of which `is_logged` is False.

    `identity_id` is who worked. `billed` is also True where a person ticked it by hand, and `active` False once it is
    deleted. The body does not say when it was changed.
    """

    identity_id: int | None = None
    is_logged: bool | None = None
    started_at: UtcInstant = None
    duration: int | None = None
    local_timezone: str | None = None
    client_id: Reference = None
    project_id: Reference = None
    service_id: Reference = None
    task_id: Reference = None
    retainer_id: Reference = None
    note: str | None = None
    active: bool | None = None
    billable: bool | None = None
    billed: bool | None = None
    internal: bool | None = None
    timer: Timer | None = None
    created_at: UtcInstant = None


class Service(Numbered):
    """A kind of work. `vis_state` is 0 for an active one."""

    name: str | None = None
    billable: bool | None = None
    project_default: bool | None = None
    vis_state: int | None = None


class Project(Numbered):
    """What work is done for. `rate` is of an hour, `fixed_price` of the whole; `budget`, `logged_duration`: seconds.

    `project_type` is `fixed_price` or `hourly_rate`; `billing_method` is `business_rate`, `project_rate`,
    `service_rate` or `team_member_rate`; both may be missing or be another word. The instants are UTC on the wire,
    without saying so.
    """

    title: str | None = None
    description: str | None = None
    due_date: Day = None
    client_id: Reference = None
    internal: bool | None = None
    project_type: str | None = None
    billing_method: str | None = None
    rate: Amount = None
    fixed_price: Amount = None
    budget: int | None = None
    project_manager_id: Reference = None
    retainer_id: Reference = None
    active: bool | None = None
    complete: bool | None = None
    services: Rows[Service] = ()
    billed_amount: Amount = None
    billed_status: str | None = None
    logged_duration: int | None = None
    created_at: UtcInstant = None
    updated_at: UtcInstant = None


class ServiceRate(Record):
    """What an hour of a service costs."""

    service_id: int
    rate: Amount = None


class TeamRate(Record):
    """What an hour of a team member costs. `identity_id` is who."""

    identity_id: int
    rate: Amount = None
