"""The modules of the stand-in, and what fields they have: their own, and those that were made in this account.

Source: https://www.zoho.com/crm/developer/docs/api/v8/modules-api.html, /field-meta.html
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from sandbox.ledger import Record
from sandbox.records import Records
from sandbox.settings import ZohoCrmSettings
from sandbox.zoho_crm.fields import ACCOUNTS, CONTACTS, DEALS, LEADS, MULTI_CURRENCY, SYSTEM, Field

FIRST_FIELD = 4_876_876_000_000_002_501
FIRST_CUSTOM_FIELD = 4_876_876_000_000_610_001


@dataclass(frozen=True)
class Module:
    """One module. `name` is the field that names a record in lookups; `duplicates` are the fields by which an upsert
    finds a record unless told otherwise, which makes nothing unique. Ids start far apart: none is in two modules.
    """

    api_name: str
    singular: str
    number: int
    first_id: int
    name: str
    duplicates: tuple[str, ...]
    fields: tuple[Field, ...]


MODULES = {
    each.api_name: each
    for each in (
        Module("Leads", "Lead", 4_876_876_000_000_002_175, 4_876_876_000_100_000_001, "Full_Name", ("Email",), LEADS),
        Module(
            *("Accounts", "Account", 4_876_876_000_000_002_177, 4_876_876_000_200_000_001),
            *("Account_Name", ("Account_Name",), ACCOUNTS),
        ),
        Module(
            *("Contacts", "Contact", 4_876_876_000_000_002_179, 4_876_876_000_300_000_001),
            *("Full_Name", ("Email",), CONTACTS),
        ),
        Module(
            "Deals", "Deal", 4_876_876_000_000_002_181, 4_876_876_000_400_000_001, "Deal_Name", ("Deal_Name",), DEALS
        ),
    )
}

STANDARD: dict[str, dict[str, Field]] = {
    module.api_name: {field.api_name: field for field in (*module.fields, *SYSTEM)} for module in MODULES.values()
}
ID = Field("id", "bigint", 20, read_only=True)
ARRANGED = {"stage": "Stage", "pipeline": "Pipeline"}
"""Kinds of records that are the values of a field of deals."""


class Schema:
    """What fields each module has at the moment. Custom fields are records of the kind `field`; what stands in the
    fields `Stage` and `Pipeline` are records too.
    """

    def __init__(self, records: Records, settings: ZohoCrmSettings) -> None:
        self._settings = settings
        self._made: dict[str, dict[str, Field]] = {name: {} for name in MODULES}
        self._deals = dict(STANDARD["Deals"])
        self._plain_deals = _without_currency(self._deals)
        records.watch("field", self._index)
        for kind, name in ARRANGED.items():
            records.watch(kind, partial(self._arrange, name))

    def fields(self, module: str) -> dict[str, Field]:
        """Return a module's fields by API name."""
        return {**self._standard(module), **self._made[module]}

    def custom(self, module: str) -> dict[str, Field]:
        """Return the fields that were made in this account."""
        return self._made[module]

    def get(self, module: str, name: str) -> Field | None:
        """Return one field or None."""
        return ID if name == "id" else self._standard(module).get(name) or self._made[module].get(name)

    def path(self, module: str, path: str) -> Field | None:
        """Return the field that a path such as `Account_Name.Phone` ends in, or None."""
        head, dot, rest = path.partition(".")
        field = self.get(module, head)
        if not dot or field is None:
            return field
        if field.data_type == "ownerlookup":
            return ID if rest == "id" else None
        return self.get(field.lookup, rest) if field.lookup else None

    def referring(self, module: str) -> Iterator[tuple[str, str]]:
        """Return the lookups that lead to a module, as module and field."""
        for other in MODULES:
            for field in self.fields(other).values():
                if field.lookup == module:
                    yield other, field.api_name

    def _standard(self, module: str) -> dict[str, Field]:
        if module != "Deals":
            return STANDARD[module]
        return self._deals if self._settings.multi_currency else self._plain_deals

    def _arrange(self, name: str, before: Record | None, after: Record | None) -> None:
        gone, new = ([each["actual_value"]] if each else [] for each in (before, after))
        field = self._deals[name]
        kept = field.values if gone == new else (*(each for each in field.values if each not in gone), *new)
        self._deals[name] = replace(field, values=kept)
        self._plain_deals = _without_currency(self._deals)

    def _index(self, before: Record | None, after: Record | None) -> None:
        if before:
            self._made[before["module"]].pop(before["api_name"], None)
        if after:
            known = {key: value for key, value in after.items() if key not in {"module", "values"}}
            made = Field(**known, values=tuple(after["values"]), custom=True)
            self._made[after["module"]][made.api_name] = made


def _without_currency(fields: dict[str, Field]) -> dict[str, Field]:
    return {name: field for name, field in fields.items() if name not in MULTI_CURRENCY}
