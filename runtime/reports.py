"""What an installation is told about reports."""

from typing import Annotated

from pydantic import AfterValidator, Field

from runtime.fields import Section


def _record_url(address: str) -> str:
    if not address.startswith("https://") or address.count("{id}") != 1:
        raise ValueError("write an https:// address with {id} where the record's id belongs")
    return address


RecordUrl = Annotated[str, AfterValidator(_record_url)]
RecordName = Annotated[str, Field(pattern="^(client|project|service|person|time-entry|invoice|payment)$")]


class ReportRules(Section):
    """How reports are made."""

    # Where people see a record, such as invoice: https://…/{id}. FreshBooks documents no addresses of its pages.
    record_urls: dict[RecordName, RecordUrl] = Field(default_factory=dict)
