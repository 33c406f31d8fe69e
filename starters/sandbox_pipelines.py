"""What is for sale in the sandbox of `ledgerline up` from the start, so that a newcomer sees estimates and an invoice.

It is entered as people would, through each CRM's own API, and only where nothing is for sale yet.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

CAPSULE_SALES: Sequence[tuple[str, str, float]] = (
    ("Website rebuild", "Proposal", 1250.5),
    ("Fair stand", "Negotiation", 4800),
    ("Spring campaign", "New", 960),
    ("Catalogue", "Won", 2640),
)
ZOHO_CRM_SALES: Sequence[tuple[str, str, float]] = (
    ("Shop floor", "Proposal/Price Quote", 3310.25),
    ("Maintenance", "Qualification", 720),
    ("Training", "Closed Won", 1480),
)
"""Name, milestone (in Zoho CRM: stage) and value in the account's currency of each opportunity."""


async def fill_capsule(http: httpx.AsyncClient, url: str, token: str) -> None:
    """Enter opportunities of the first people in Capsule; none if there are no people, or opportunities already."""
    api, headers = f"{url}/api/v2", {"Authorization": f"Bearer {token}"}

    async def listed(kind: str) -> list[dict[str, Any]]:
        answer = await http.get(f"{api}/{kind}", headers=headers, params={"perPage": 100})
        return list(answer.raise_for_status().json()[kind])

    if await listed("opportunities"):
        return
    people = [each for each in await listed("parties") if each["type"] == "person"]
    milestones = {each["name"]: each["id"] for each in await listed("milestones")}
    for person, (name, milestone, amount) in zip(people, CAPSULE_SALES, strict=False):
        opportunity = {
            "party": {"id": person["id"]},
            "name": name,
            "milestone": {"id": milestones[milestone]},
            "value": {"amount": amount, "currency": "EUR"},
        }
        await _enter(http, f"{api}/opportunities", headers, {"opportunity": opportunity})


async def fill_zoho_crm(http: httpx.AsyncClient, url: str, token: str) -> None:
    """Enter deals of the first contacts in Zoho CRM; none if there are no contacts, or deals already."""
    api, headers = f"{url}/crm/v8", {"Authorization": f"Zoho-oauthtoken {token}"}

    async def listed(module: str, fields: str) -> list[dict[str, Any]]:
        query = {"fields": fields, "per_page": "100"}
        answer = (await http.get(f"{api}/{module}", headers=headers, params=query)).raise_for_status()
        return list(answer.json()["data"]) if answer.content else []  # Zoho says 204 where nothing is

    if await listed("Deals", "Deal_Name"):
        return
    contacts = [each for each in await listed("Contacts", "Email") if each["Email"]]
    for contact, (name, stage, amount) in zip(contacts, ZOHO_CRM_SALES, strict=False):
        deal = {"Deal_Name": name, "Stage": stage, "Amount": amount, "Contact_Name": {"id": contact["id"]}}
        await _enter(http, f"{api}/Deals", headers, {"data": [deal]})


async def _enter(http: httpx.AsyncClient, url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> None:
    (await http.post(url, headers=headers, json=body)).raise_for_status()
