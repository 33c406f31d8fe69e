"""Zoho CRM's objects as far as we read them. Source: https://www.zoho.com/crm/developer/docs/api/v8/get-records.html"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter

from connectors.errors import Problem
from connectors.models import Instant, Record, Rows

_JSON: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


class Named(Record):
    """The short form of an object that a record refers to."""

    id: str
    name: str | None = None


class CrmRecord(Record):
    """One record of a module. `values` holds all that Zoho sent, by the API names of the fields."""

    id: str
    module: str
    created_at: Instant | None = Field(default=None, validation_alias="Created_Time")
    modified_at: Instant | None = Field(default=None, validation_alias="Modified_Time")
    owner: Named | None = Field(default=None, validation_alias="Owner")
    modified_by: Named | None = Field(default=None, validation_alias="Modified_By")
    values: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Return what Zoho sent, with its `module` beside it, ready for JSON: amounts with a fraction become text."""
        return {**_JSON.dump_python(dict(self.values), mode="json"), "module": self.module}


class Written(Record):
    """What Zoho says of a record that it has just written."""

    id: str
    modified_at: Instant | None = Field(default=None, validation_alias="Modified_Time")


@dataclass(frozen=True)
class RecordPage:
    """One page of records. `next_token` asks a list for the next one, with the same other parameters, for a day."""

    items: list[CrmRecord]
    has_more: bool
    next_token: str | None


@dataclass(frozen=True)
class Saved:
    """What became of one record that was written. `action` (`insert` or `update`) comes with an upsert."""

    id: str
    action: str | None = None
    duplicate_field: str | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True)
class Failed:
    """One record that was not written, and why: a problem or several, the first of them in `code` and `field`.

    `duplicate_id` is the record that has the unique value already. `status` is the HTTP status of the whole answer,
    `meaning` that which this record's error stands for.
    """

    problems: tuple[Problem, ...]
    duplicate_id: str | None
    status: int
    meaning: int

    @property
    def code(self) -> str | None:
        """Zoho's word for what is wrong, such as `DUPLICATE_DATA`."""
        return self.problems[0].code

    @property
    def field(self) -> str | None:
        """The API name of the field that is wrong."""
        return self.problems[0].field

    @property
    def message(self) -> str:
        """Zoho's sentence, which may quote a value: for the person who resolves a hold."""
        return self.problems[0].message


Outcome = Saved | Failed
"""What became of one record of a write; outcomes stand in the order of the records."""


class Deletion(Record):
    """One record that was deleted: to the recycle bin, or (`permanent`) for good."""

    id: str
    type: str | None = None
    deleted_time: Instant | None = None
    deleted_by: Named | None = None


class Choice(Record):
    """One value of a picklist. Records hold, and take, the actual one. Stages of deals tell more, if Zoho does."""

    display_value: str | None = None
    actual_value: str | None = None
    probability: int | None = None
    forecast_type: str | None = None


class Operations(Record):
    """What the API may do with a field."""

    api_create: bool | None = None
    api_update: bool | None = None


def _is_unique(said: Any) -> Any:
    return bool(said) if said is None or isinstance(said, dict) else said


class FieldDefinition(Record):
    """One field of a module, a custom one too."""

    id: str
    api_name: str
    field_label: str | None = None
    data_type: str | None = None
    length: int | None = None
    decimal_place: int | None = None
    system_mandatory: bool = False
    custom_field: bool = False
    read_only: bool = False
    field_read_only: bool = False
    visible: bool = True
    unique: Annotated[bool, BeforeValidator(_is_unique)] = False
    pick_list_values: Rows[Choice] = ()
    operation_type: Operations | None = None


class Module(Record):
    """One module: a kind of records, such as Contacts."""

    id: str
    api_name: str
    api_supported: bool | None = None
    creatable: bool | None = None
    editable: bool | None = None
    deletable: bool | None = None
    viewable: bool | None = None


class User(Record):
    """One user of the account; `status` is active, disabled or deleted."""

    id: str
    full_name: str | None = None
    email: str | None = None
    status: str | None = None
    role: Named | None = None
    profile: Named | None = None
    time_zone: str | None = None


class Organisation(Record):
    """The account itself; `type` is production, sandbox, developer or bigin, `iso_code` its currency."""

    id: str
    zgid: str | None = None
    company_name: str | None = None
    time_zone: str | None = None
    iso_code: str | None = None
    country_code: str | None = None
    type: str | None = None


@dataclass(frozen=True)
class Conversion:
    """What a lead became. While `job_id` is given Zoho is still at it: look at the lead's `$converted_detail` later."""

    contact_id: str | None
    account_id: str | None
    deal_id: str | None
    job_id: str | None = None


class Channel(Record):
    """A subscription to the changes of one module. `notify_url` may hold a secret, `token` is one: do not log them."""

    channel_id: str
    channel_expiry: Instant | None = None
    resource_name: str | None = None
    notify_url: str | None = None
    token: str | None = None
    events: Rows[str] = ()
