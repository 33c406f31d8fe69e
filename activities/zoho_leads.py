"""What a new customer of the books has to do with Zoho's leads: one that was a lead is converted, not entered twice.

Source: https://www.zoho.com/crm/developer/docs/api/v8/convert-lead.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from activities.queues import ZOHO_CRM
from connectors.errors import Refused, Unavailable, UnknownOutcome
from connectors.zoho_crm import asking
from connectors.zoho_crm.api import ZohoCrmApi

LEADS = "Leads"
CONVERTED = "ID_ALREADY_CONVERTED"


@dataclass(frozen=True)
class LeadRules:
    """Whether a lead is converted once it is a customer, and the lead source of new contacts by kind of client.

    The kinds are `person`, and `firm` for somebody who belongs to one.
    """

    converts: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)

    def source(self, contact: Mapping[str, Any]) -> dict[str, str]:
        """Return what a new contact says of where it comes from."""
        kind = "firm" if contact.get("Account_Name") else "person"
        return {"Lead_Source": self.sources[kind]} if kind in self.sources else {}


class ZohoLeads:
    """The leads of one Zoho CRM account."""

    def __init__(self, zoho: ZohoCrmApi, rules: LeadRules) -> None:
        self._zoho, self._rules = zoho, rules

    async def converted(self, email: str | None) -> str | None:
        """Convert the one open lead with this address and return the id of the contact that it became.

        None if there is no such lead or more than one, or if leads are left alone. Raises UnknownOutcome if nobody
        knows what became of the lead: whoever looks for the address again finds the contact, if it is there.
        """
        if not self._rules.converts or not email:
            return None
        try:
            condition = f"Email = {asking.coql_text(email.strip())}"
        except ValueError:  # a quote in an address: no query can hold it
            return None
        query = f"select id from {LEADS} where {condition} order by id asc limit 0, 200"  # noqa: S608 - COQL, and checked
        contacts = [await self._convert(str(row["id"])) for row in await self._open_ones(query)]
        return contacts[0] if contacts else None

    async def _open_ones(self, query: str) -> list[dict[str, Any]]:
        found = [row for row in (await self._zoho.query(query)).items if not await self._is_converted(str(row["id"]))]
        return found if len(found) == 1 else []

    async def _is_converted(self, lead_id: str) -> bool:
        lead = await self._zoho.get_record(LEADS, lead_id)
        return bool(lead.values.get("$converted"))

    async def _convert(self, lead_id: str) -> str | None:
        try:
            became = await self._zoho.convert_lead(lead_id, {})
        except Unavailable as error:  # to repeat it would harm nothing; to go on and make a contact would
            raise UnknownOutcome(ZOHO_CRM, str(error)) from None
        except Refused as error:
            if any(problem.code == CONVERTED for problem in error.problems):  # by a person, a moment ago
                raise UnknownOutcome(ZOHO_CRM, f"lead {lead_id} was converted meanwhile") from None
            raise
        if became.contact_id is None:
            raise UnknownOutcome(ZOHO_CRM, f"Zoho CRM is still converting lead {lead_id}")
        return became.contact_id
