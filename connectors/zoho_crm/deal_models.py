"""Deals, their stages and their notes as far as we read them.

Source: https://www.zoho.com/crm/developer/docs/api/v8/modules-api.html, /get-pipelines.html, /get-notes.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from pydantic import Field

from connectors.models import Instant, Record, Rows
from connectors.zoho_crm.models import Choice, CrmRecord, Named

State: TypeAlias = Literal["open", "won", "lost"]
STATES: Mapping[str, State] = {"Open": "open", "Closed Won": "won", "Closed Lost": "lost"}
"""What Zoho's kinds of forecast mean, which do not change with the names of stages."""


class Owner(Named):
    """Who owns a deal. Single records and lists tell the email address, queries do not."""

    email: str | None = None


class Deal(CrmRecord):
    """One deal. `stage` and `pipeline` are actual values, as in `Stage`.

    `currency` (ISO 4217) is that of `amount` and `expected_revenue`; None says that the account has one currency only,
    which is its organisation's `iso_code`. Custom fields are among `values`.
    """

    owner: Owner | None = Field(default=None, validation_alias="Owner")
    name: str | None = Field(default=None, validation_alias="Deal_Name")
    stage: str | None = Field(default=None, validation_alias="Stage")
    pipeline: str | None = Field(default=None, validation_alias="Pipeline")
    amount: Decimal | None = Field(default=None, validation_alias="Amount")
    currency: str | None = Field(default=None, validation_alias="Currency")
    exchange_rate: Decimal | None = Field(default=None, validation_alias="Exchange_Rate")
    expected_revenue: Decimal | None = Field(default=None, validation_alias="Expected_Revenue")
    probability: int | None = Field(default=None, validation_alias="Probability")
    closing_date: date | None = Field(default=None, validation_alias="Closing_Date")
    account: Named | None = Field(default=None, validation_alias="Account_Name")
    contact: Named | None = Field(default=None, validation_alias="Contact_Name")
    description: str | None = Field(default=None, validation_alias="Description")


class Layout(Record):
    """One layout of a module. Pipelines belong to a layout of deals."""

    id: str
    name: str | None = None


class PipelineStage(Choice):
    """One stage of a pipeline; `forecast_type` is a key of `STATES`."""

    id: str
    sequence_number: int | None = None


class Pipeline(Record):
    """One pipeline with its stages."""

    id: str
    display_value: str | None = None
    actual_value: str
    default: bool = False
    maps: Rows[PipelineStage] = ()


@dataclass(frozen=True)
class Stage:
    """One stage of one pipeline, in the order of `position` (from 1).

    `name` and `pipeline` are the actual values, which deals hold and take whatever people call them; the labels are
    what people see. `probability` is in percent, None if Zoho does not tell it.
    """

    name: str
    label: str
    pipeline: str
    pipeline_label: str
    state: State
    position: int
    probability: int | None = None


class Note(Record):
    """One note on a record. Its text is for people: do not log it."""

    id: str
    title: str | None = Field(default=None, validation_alias="Note_Title")
    text: str | None = Field(default=None, validation_alias="Note_Content")
    created_at: Instant | None = Field(default=None, validation_alias="Created_Time")
    modified_at: Instant | None = Field(default=None, validation_alias="Modified_Time")
    created_by: Named | None = Field(default=None, validation_alias="Created_By")
