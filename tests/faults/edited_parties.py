"""How people enter, edit and see the same few fields of a party in each CRM. Names of fields are those of the books."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from tests.sandboxes import Firm
from tests.zoho_firms import CONTACTS, ZohoPeople


class EditedParties(Protocol):
    """The parties of one firm. Each has a last name, a mobile number, a city and a VAT number."""

    async def make_fields(self) -> None:
        """Make the custom fields that the mapping reads, and the one that carries our reference."""

    async def enter(self, email: str, values: Mapping[str, str]) -> int:
        """Enter a person, and return the party's id."""

    async def edit(self, party_id: int, name: str, value: str) -> None:
        """Change one field."""

    def values(self, party_id: int) -> dict[str, str | None]:
        """Return what the CRM holds of the fields."""

    def rows(self, party_id: int) -> dict[str, int]:
        """Return how many values it holds where it can hold several."""

    def count(self) -> int:
        """Return how many parties there are."""


class CapsuleParties:
    """People in Capsule, whose phones, addresses and custom fields are rows."""

    def __init__(self, firm: Firm) -> None:
        self._firm = firm

    async def make_fields(self) -> None:
        """Make the field of our reference; the stand-in has a VAT number by itself."""
        await self._firm.new_field("Ledgerline reference")

    async def enter(self, email: str, values: Mapping[str, str]) -> int:
        """Enter a person."""
        return await self._firm.new_party(
            type="person",
            name=None,
            firstName="Ada",
            lastName=values["lname"],
            emailAddresses=[{"type": "Work", "address": email}],
            phoneNumbers=[{"type": "Mobile", "number": values["mob_phone"]}],
            addresses=[{"type": "Office", "city": values["p_city"], "country": "Germany"}],
            fields=[{"definition": {"id": self._vat()}, "value": values["vat_number"]}],
        )

    async def edit(self, party_id: int, name: str, value: str) -> None:
        """Change one field, rows by their ids."""
        party = self._firm.party(party_id)
        changes: dict[str, Any] = {
            "lname": {"lastName": value},
            "mob_phone": {"phoneNumbers": [{"id": party["phoneNumbers"][0]["id"], "number": value}]},
            "p_city": {"addresses": [{"id": party["addresses"][0]["id"], "city": value}]},
            "vat_number": {"fields": [{"definition": {"id": self._vat()}, "value": value}]},
        }
        await self._firm.change_party(party_id, **changes[name])

    def values(self, party_id: int) -> dict[str, str | None]:
        """Return the first of each kind of row."""
        party = self._firm.party(party_id)
        return {
            "lname": party["lastName"],
            "mob_phone": party["phoneNumbers"][0]["number"],
            "p_city": party["addresses"][0]["city"],
            "vat_number": next((each["value"] for each in party.get("fields") or []), None),
        }

    def rows(self, party_id: int) -> dict[str, int]:
        """Return how many there are of each kind."""
        return {key: len(self._firm.party(party_id)[key]) for key in ("phoneNumbers", "emailAddresses", "addresses")}

    def count(self) -> int:
        """Return how many parties there are."""
        return len(self._firm.crm_service.records.all("party"))

    def _vat(self) -> int:
        defined = self._firm.crm_service.records.all("definition")
        return next(int(each["id"]) for each in defined if each["name"] == "VAT number")


class ZohoContacts:
    """Contacts in Zoho CRM, which are flat."""

    FIELDS: Mapping[str, str] = {
        "lname": "Last_Name",
        "mob_phone": "Mobile",
        "p_city": "Mailing_City",
        "vat_number": "VAT_Number",
    }
    PLENTY = 10_000_000  # credits: a firm with so many records has a larger edition

    def __init__(self, firm: Firm) -> None:
        self._records, self._people = firm.crm_service.records, ZohoPeople(firm)
        firm.crm_service.settings.change({"credits": self.PLENTY})

    async def make_fields(self) -> None:
        """Make the fields of our reference and of the VAT number."""
        await self._people.make_reference_field()
        await self._people.api.create_field(CONTACTS, {"fields": [{"field_label": "VAT Number", "data_type": "text"}]})

    async def enter(self, email: str, values: Mapping[str, str]) -> int:
        """Enter a contact."""
        named = {self.FIELDS[name]: value for name, value in values.items()}
        return await self._people.enter(CONTACTS, First_Name="Ada", Email=email, Mailing_Country="Germany", **named)

    async def edit(self, party_id: int, name: str, value: str) -> None:
        """Change one field."""
        await self._people.change(CONTACTS, party_id, **{self.FIELDS[name]: value})

    def values(self, party_id: int) -> dict[str, str | None]:
        """Return the fields as they are stored."""
        contact = self._records.get(CONTACTS, party_id) or {}
        return {name: contact.get(field) for name, field in self.FIELDS.items()}

    def rows(self, party_id: int) -> dict[str, int]:
        """Nothing: a contact holds one of each."""
        return {}

    def count(self) -> int:
        """Return how many contacts and accounts there are."""
        return len(self._records.all(CONTACTS)) + len(self._records.all("Accounts"))


PARTIES: Mapping[str, Callable[[Firm], EditedParties]] = {"capsule": CapsuleParties, "zoho_crm": ZohoContacts}
"""By the name of the system."""
