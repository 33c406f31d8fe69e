"""Recorded inputs: records of one connection's CRM in a file, with which mappings are compared where no CRM is near.

JSON lines. The first says what the file is, of whose records and when; each other line is one party or opportunity. The
file holds personal data, so only its owner may read it.
"""

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from activities.crm import CrmParty
from activities.opportunity_crm import CrmOpportunity, Milestone
from worker.mapping_files import CRMS, NotUsable

FORMAT = 1
_HOW = "make such a file with `ledgerline mapping record`"
_PARTY = TypeAdapter(CrmParty)
_OPPORTUNITY = TypeAdapter(CrmOpportunity)


class Head(BaseModel):
    """The first line. `recorded_at` is in UTC; `defaults` are those settings of `clients` that a mapping works with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: Literal["ledgerline recorded inputs"] = "ledgerline recorded inputs"
    format: Literal[1] = 1
    connection: str
    crm: Literal["capsule", "zoho_crm"]
    recorded_at: datetime
    personal_data: Literal[True] = True
    is_part: bool = False
    """Whether the CRM has more records than were asked for."""
    field_ids: dict[str, int] = {}
    """The account's custom fields of parties."""
    milestones: tuple[Milestone, ...] = ()
    defaults: dict[str, str | None] = {}


@dataclass(frozen=True)
class Inputs:
    """What was recorded."""

    head: Head
    parties: Sequence[CrmParty]
    opportunities: Sequence[CrmOpportunity]


def write_inputs(path: Path, inputs: Inputs) -> None:
    """Write the file, whole or not at all, so that only its owner may read it. Raises NotUsable."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in _lines(inputs))
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise NotUsable(f"{path}: cannot be written: {error.strerror}") from None


def read_inputs(path: Path) -> Inputs:
    """Return what a file holds. Raises NotUsable, with the line, for anything that `mapping record` did not write."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise NotUsable(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NotUsable(f"{path}:1:1: no recorded inputs: {_HOW}") from None
    head = _head(path, lines[0] if lines else "")
    parties: list[CrmParty] = []
    opportunities: list[CrmOpportunity] = []
    for number, line in enumerate(lines[1:], start=2):
        record = _record(path, number, line)
        if isinstance(record, CrmParty):
            parties.append(record)
        else:
            opportunities.append(record)
    return Inputs(head, parties, opportunities)


def _lines(inputs: Inputs) -> list[str]:
    return [
        inputs.head.model_dump_json(),
        *(_line("party", _PARTY.dump_python(each, mode="json")) for each in inputs.parties),
        *(_line("opportunity", _OPPORTUNITY.dump_python(each, mode="json")) for each in inputs.opportunities),
    ]


def _line(kind: str, record: Any) -> str:
    return json.dumps({kind: record}, ensure_ascii=False)


def _head(path: Path, line: str) -> Head:
    try:
        return Head.model_validate_json(line)
    except ValidationError:
        text = f"the first line does not say that these are recorded inputs of format {FORMAT} ({', '.join(CRMS)})"
        raise NotUsable(f"{path}:1:1: {text}: {_HOW}") from None


def _record(path: Path, number: int, line: str) -> CrmParty | CrmOpportunity:
    """Return one record. What is wrong with it is not quoted: it is a person's data."""
    try:
        found = json.loads(line, parse_float=Decimal)
        if "party" in found:
            return _PARTY.validate_python(found["party"])
        return _OPPORTUNITY.validate_python(found["opportunity"])
    except (ValueError, TypeError, KeyError) as error:
        column = error.colno if isinstance(error, json.JSONDecodeError) else 1
        raise NotUsable(f"{path}:{number}:{column}: this line holds no record: {_HOW} anew") from None
