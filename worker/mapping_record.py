"""`ledgerline mapping record`: writes records of a connection's CRM to a file, to compare mappings with."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from activities.crm import Crm, CrmParty
from activities.opportunity_crm import OpportunityCrm
from activities.queues import ZOHO_CRM
from activities.zoho_deals import ZohoDealCrm
from connectors.answers import Page
from connectors.errors import ConnectorError, NotFound
from connectors.http import TokenSource, http_client
from connectors.zoho_crm.api import ZohoCrmApi
from connectors.zoho_crm.asking import MOST_FIELDS
from connectors.zoho_crm.deals import FIELDS, ZohoDeals
from runtime.accounts import ZohoCrmAccount
from runtime.settings import Connection, Settings
from store.store import open_store
from worker.accounts import clients_template
from worker.crms import CrmPlace, crm_parts
from worker.mapping_files import NotUsable
from worker.mapping_inputs import Head, Inputs, write_inputs
from worker.tokens import account_token, zoho_api_url

DEFAULTS = ("direction", "default_currency", "default_language", "phone_region")
"""The settings of the flow of clients that a mapping works with."""
Item = TypeVar("Item")


@dataclass(frozen=True)
class Asked:
    """What the person typed: the connection, the file, and how many records of each kind at most."""

    connection: str
    file: Path
    limit: int


async def record(settings: Settings, asked: Asked) -> str:
    """Read records of the CRM, write them to the file, and return what there is to say of it. Only reads.

    Raises NotUsable, WrongSettings, KeyProblem or StoreUnreachable.
    """
    connection = settings.connections.get(asked.connection)
    if connection is None:
        known = ", ".join(settings.connections) or "none is configured"
        raise NotUsable(f"there is no connection {asked.connection} in the settings ({known})")
    try:
        inputs = await _fetched(settings, connection, asked)
    except ConnectorError as error:
        raise NotUsable(f"{error}. Nothing was written: run the command again") from None
    await asyncio.to_thread(write_inputs, asked.file, inputs)
    return _said(asked, inputs)


async def _fetched(settings: Settings, connection: Connection, asked: Asked) -> Inputs:
    name, store = asked.connection, await open_store(settings)
    try:
        async with http_client() as http:
            token = account_token(name, connection, connection.crm, http, store)
            place = CrmPlace(settings, name, http, token, store.keys)
            parts = crm_parts(place, clients_template(name, connection))
            began, pace = datetime.now(UTC), 1 / connection.crm_account.calls_per_second
            field_ids = await parts.crm.field_ids()
            parties, some = await _all(parts.crm.listed, asked.limit, pace)
            if connection.crm == ZOHO_CRM:
                parties = await _in_full(parts.crm, parties, pace)
            opportunities = await _opportunities(place, parts.opportunities, token)
            found, others = await _all(opportunities.listed, asked.limit, pace) if opportunities else ([], False)
            milestones = await opportunities.milestones() if opportunities else ()
    finally:
        await store.close()
    flow = connection.clients.model_dump(mode="json")
    head = Head(
        connection=name,
        crm=connection.crm,
        recorded_at=began,
        is_part=some or others,
        field_ids=dict(field_ids),
        milestones=tuple(milestones),
        defaults={key: flow[key] for key in DEFAULTS},
    )
    return Inputs(head, parties, found)


async def _all(
    listed: Callable[[datetime | None, int], Awaitable[Page[Item]]], limit: int, pace: float
) -> tuple[list[Item], bool]:
    """Return so many records at most, and whether there are more. `pace` is the time in seconds between two pages."""
    found: list[Item] = []
    page, has_more = 0, True
    while has_more and len(found) < limit:
        page += 1
        answer = await listed(None, page)
        found, has_more = [*found, *answer.items], answer.has_more
        await asyncio.sleep(pace if has_more else 0)
    return found[:limit], has_more or len(found) > limit


async def _in_full(crm: Crm, parties: list[CrmParty], pace: float) -> list[CrmParty]:
    """Return records with all their fields: a list of Zoho's has those that the present mapping reads, and no other."""
    found = []
    for party in parties:
        with suppress(NotFound):  # deleted since it was listed
            found.append(await crm.read(party.id))
        await asyncio.sleep(pace)
    return found


async def _opportunities(place: CrmPlace, usual: OpportunityCrm, token: TokenSource) -> OpportunityCrm | None:
    """Return the account's opportunities with all their custom fields; None where the connection syncs none."""
    if place.connection.opportunities is None:
        return None
    account = place.connection.crm_account
    if not isinstance(account, ZohoCrmAccount):
        return usual
    deals = ZohoDeals(ZohoCrmApi(place.http, token, zoho_api_url(account), place.connection.request_timeout))
    custom = [each.api_name for each in await deals.deal_fields() if each.custom_field]
    return ZohoDealCrm(deals, list(dict.fromkeys([*place.opportunity_fields, *custom]))[: MOST_FIELDS - len(FIELDS)])


def _said(asked: Asked, inputs: Inputs) -> str:
    counts = f"{len(inputs.parties):,} parties and {len(inputs.opportunities):,} opportunities"
    more = f" The CRM has more: --limit {asked.limit} of each kind." if inputs.head.is_part else ""
    return (
        f"{asked.file}: {counts} of {asked.connection} ({inputs.head.crm}).{more}\n"
        "The file holds personal data: only you may read it. Keep it off other machines, and delete it after use."
    )
