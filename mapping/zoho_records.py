"""Paths into a record of Zoho CRM, such as `Contacts.First_Name` or `Contacts.Account_Name.name`, and how it is edited.

The first word is the module: a contact is a person, an account an organisation. Any other word is the API name of a
field, the account's own fields included. The document of a record is what Zoho shows, with its `module` beside it.
Source: https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapping.edits import Edit, require, street_with
from mapping.registry import Kind
from mapping.spots import RowList
from mapping.targets import Lines
from mapping.values import IncompleteRecord, UnmappableValue

CONTACTS, ACCOUNTS = "Contacts", "Accounts"
MODULES: Mapping[str, str] = {"person": CONTACTS, "organisation": ACCOUNTS}
"""By type of party."""
_TYPES = {module: party_type for party_type, module in MODULES.items()}

_PARTS = ("Street", "City", "State", "Country")
_STANDARD: Mapping[str, tuple[str, ...]] = {
    CONTACTS: (
        *("First_Name", "Last_Name", "Email", "Secondary_Email", "Phone", "Mobile", "Home_Phone", "Other_Phone", "Fax"),
        *("Title", "Department", "Description", "Lead_Source", "Salutation"),
        *(f"{kind}_{part}" for kind in ("Mailing", "Other") for part in (*_PARTS, "Zip")),
    ),
    ACCOUNTS: (
        *("Account_Name", "Phone", "Fax", "Website", "Account_Number", "Account_Type", "Industry", "Description"),
        *(f"{kind}_{part}" for kind in ("Billing", "Shipping") for part in (*_PARTS, "Code")),
    ),
}
_READ_ONLY = ("id", "Created_Time", "Modified_Time", "Currency", "Exchange_Rate")
_LOOKUPS: Mapping[str, tuple[str, ...]] = {CONTACTS: ("Account_Name", "Owner"), ACCOUNTS: ("Parent_Account", "Owner")}
_ALWAYS = {module: (*_STANDARD[module], *_LOOKUPS[module]) for module in _STANDARD}
_PATH = re.compile(r"(?P<module>Contacts|Accounts)\.(?P<field>[A-Za-z][A-Za-z0-9_]*)(\.(?P<key>name|id))?")

ALLOWED = (
    "Contacts.X and Accounts.X, where X is the API name of a field; Contacts.Account_Name.name, Contacts.Owner.name"
)


@dataclass(frozen=True)
class ZohoPath:
    """One readable spot of a contact or an account."""

    module: str
    field: str
    key: str | None = None

    @property
    def text(self) -> str:
        """How mappings write it."""
        return ".".join(part for part in (self.module, self.field, self.key) if part)

    @property
    def kind(self) -> Kind:
        """A single value, always: Zoho has no lists of rows in contacts and accounts."""
        return Kind.VALUE

    @property
    def writable(self) -> bool:
        """What stands in another record is read only: writing a name there would not rename it."""
        return self.key is None and self.field not in _READ_ONLY

    @property
    def custom_field(self) -> str | None:
        """The field by module and API name, unless every account has it."""
        known = self.field in _ALWAYS[self.module] or self.field in _READ_ONLY
        return None if known else f"{self.module}.{self.field}"

    @property
    def has_lines(self) -> bool:
        """Whether it is a street."""
        return self.field.endswith("_Street")

    @property
    def rows(self) -> RowList:
        """Nothing: no field is a list."""
        return RowList()

    def belongs_to(self, party_type: str) -> bool:
        """Return whether it is a field of the module for this type of party."""
        return MODULES.get(party_type) == self.module

    def read(self, record: Mapping[str, Any], /) -> Any:
        """Return what the record holds here, None for nothing and for a field of the other module.

        Raises IncompleteRecord for a field that was not asked for: it must not look empty.
        """
        if record.get("module") != self.module:
            return None
        if self.field not in record and self.field in _ALWAYS[self.module]:
            raise IncompleteRecord(f"the record was fetched without {self.field}: fetch it alone, by its id")
        value = record.get(self.field)
        if isinstance(value, Mapping):
            return value.get(self.key or "name")
        return None if self.key else value


def parse_zoho_path(text: str) -> ZohoPath:
    """Return the path. Raises ValueError, saying what is allowed, for one that no record has."""
    match = _PATH.fullmatch(text)
    if match is None:
        raise ValueError(f"no such path in a contact or an account. Allowed: {ALLOWED}")
    path = ZohoPath(match["module"], match["field"], match["key"])
    if path.key is None and path.field in _LOOKUPS[path.module]:
        raise ValueError(f"names another record: write {path.text}.name")
    return path


class EditedRecord:
    """A contact or an account and the edits made to it; `document` is how Zoho would show it with them."""

    def __init__(self, record: Mapping[str, Any], field_ids: Mapping[str, int]) -> None:
        self._before, self._field_ids = record, field_ids
        self.document: dict[str, Any] = dict(record)

    def write(self, edits: Sequence[Edit]) -> None:
        """Make all these edits, those of one street at once. Raises UnmappableValue."""
        streets: dict[str, list[Edit]] = defaultdict(list)
        for edit in edits:
            if edit.target.lines is Lines.ALL:
                self._set(edit, edit.text)
            else:
                streets[edit.target.path.text].append(edit)
        for together in streets.values():
            self._set(together[0], street_with(together[0].target.path.read(self._before), together))
        self._require_name()

    def changes(self) -> dict[str, Any]:
        """Return the fields to be written; null empties one."""
        return {key: value for key, value in self.document.items() if value != self._before.get(key)}

    def _set(self, edit: Edit, text: str | None) -> None:
        path = edit.target.path
        if path.custom_field is not None and path.custom_field not in self._field_ids:
            raise UnmappableValue(edit.field, "has no field in Zoho: create one there under the mapping's API name")
        held = path.read(self._before)
        if held is not None and not isinstance(held, str):
            raise UnmappableValue(edit.field, "is no text in Zoho: change it there; the mapping writes text")
        self.document[path.text.partition(".")[2]] = text

    def _require_name(self) -> None:
        if self.document.get("module") == CONTACTS:
            require(self.document.get("Last_Name"), "lname", "Zoho takes no contact without a last name")
        else:
            require(self.document.get("Account_Name"), "organization", "Zoho takes no account without a name")


def zoho_party_type(record: Mapping[str, Any]) -> str:
    """Return "person" for a contact, "organisation" for an account."""
    return _TYPES[record["module"]]


def blank_record(party_type: str) -> dict[str, Any]:
    """Return a contact or an account that says nothing yet."""
    module = MODULES[party_type]
    return {"module": module, **dict.fromkeys(_ALWAYS[module])}


def record_body(party_type: str, changes: Mapping[str, Any], employer_id: int | None) -> dict[str, Any]:
    """Return a new record, with the module that it belongs to; ids are text on the wire."""
    account = {"Account_Name": {"id": str(employer_id)}} if employer_id and party_type == "person" else {}
    return {"module": MODULES[party_type], **changes, **account}
