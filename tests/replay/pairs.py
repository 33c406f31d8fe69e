"""Scenarios of pairs whose changes go both ways, and of what watches over them. Each plays on a two-way connection."""

from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from temporalio.client import WorkflowHandle

from runtime.queues import WORKFLOW_QUEUE
from tests.workflows.office import Office
from workflows.bulk import BulkCreates
from workflows.duplicates import DuplicateCheck, OpenIntents
from workflows.models import (
    BulkRequest,
    ConnectionRequest,
    DuplicateCheckRequest,
    Resolution,
    SearchLagRequest,
    SweepRequest,
)
from workflows.search_lag import SearchLag
from workflows.sweeps import PartySweep

OFFICE = [{"address": "office@acme.test"}]

Handle = WorkflowHandle[Any, Any]


async def edited_on_both_sides(office: Office) -> Handle:
    """The party gets another name and the client another number."""
    party_id = await office.firm.new_party(emailAddresses=OFFICE)
    client_id = (await office.sync(party_id)).client_id or 0
    await office.firm.change_client(client_id, bus_phone="+44 20 7946 0018")
    await office.firm.change_party(party_id, name="Acme & Sons")
    await office.client_changed(client_id)
    await office.result(party_id)
    return office.workflow(party_id)


async def echo(office: Office) -> Handle:
    """News of a client that is as we left it."""
    party_id = await office.firm.new_party(emailAddresses=OFFICE)
    client_id = (await office.sync(party_id)).client_id or 0
    await office.client_changed(client_id)
    await office.result(party_id)
    return office.workflow(party_id)


async def deleted(office: Office) -> Handle:
    """The party is deleted, and its client archived."""
    party_id = await office.firm.new_party(emailAddresses=OFFICE)
    await office.sync(party_id)
    await office.firm.delete_party(party_id)
    await office.sync(party_id)
    return office.workflow(party_id)


async def merged(office: Office) -> Handle:
    """The party is merged into another one, which its client follows."""
    loser = await office.firm.new_party(emailAddresses=OFFICE)
    await office.sync(loser)
    winner = await office.firm.new_party(name="Acme Limited")
    await office.firm.merge_parties(loser, winner)
    office.expect(winner)
    await office.sync(loser)
    return office.workflow(loser)


async def party_from_client(office: Office) -> Handle:
    """A client that was entered in FreshBooks gets a party."""
    client_id = await office.firm.new_client(organization="Ek AB", email="office@ek.test")
    await office.client_changed(client_id)
    await office.client_result(client_id)
    return office.client_workflow(client_id)


async def party_in_doubt_and_picked(office: Office) -> Handle:
    """Two parties have the address of a client; a person picks one."""
    parties = [await office.firm.new_party(name=name, emailAddresses=OFFICE) for name in ("North", "South")]
    client_id = await office.firm.new_client(organization="Acme", email="office@acme.test")
    await office.client_changed(client_id)
    await office.hold_of_client(client_id)
    pick = Resolution(choice="pick", party_id=parties[1])
    await office.client_workflow(client_id).execute_update("resolve", pick)
    await office.client_result(client_id)
    return office.client_workflow(client_id)


async def bulk_creates(office: Office) -> Handle:
    """A create waits, and a person approves it."""
    firm, party_id = office.firm, await office.firm.new_party()
    await firm.store.waiting.add([firm.record_key(party_id)])
    office.expect(party_id)
    handle = await office.temporal.start_workflow(
        BulkCreates.run, BulkRequest(connection=firm.name), id="bulk-creates", task_queue=WORKFLOW_QUEUE
    )
    await office.hold_listed("bulk-creates")
    await handle.execute_update("resolve", Resolution(choice="approve"))
    await handle.result()
    await office.result(party_id)
    return handle


async def first_sweep_weighed(office: Office) -> Handle:
    """A first sweep lets the one create that it found go on."""
    office.expect(await office.firm.new_party())
    request = SweepRequest(connection=office.firm.name)
    return await office.temporal.start_workflow(PartySweep.run, request, id="party-sweep", task_queue=WORKFLOW_QUEUE)


async def search_lag(office: Office) -> Handle:
    """A search shows a new client at once."""
    firm, party_id = office.firm, await office.firm.new_party()
    client_id = (await office.sync(party_id)).client_id or 0
    request = SearchLagRequest(
        connection=firm.name,
        party_id=party_id,
        client_id=client_id,
        reference=firm.store.intents.reference(firm.record_key(party_id)),
        created_at=datetime.now(UTC),
    )
    return await office.temporal.start_workflow(SearchLag.run, request, id="search-lag", task_queue=WORKFLOW_QUEUE)


async def open_intents(office: Office) -> Handle:
    """A create was left open."""
    firm, party_id = office.firm, await office.firm.new_party()
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=16), tick=True):
        await firm.store.intents.reserve(firm.record_key(party_id))
    office.expect(party_id)
    request = ConnectionRequest(connection=firm.name)
    return await office.temporal.start_workflow(OpenIntents.run, request, id="open-intents", task_queue=WORKFLOW_QUEUE)


async def duplicate_check(office: Office) -> Handle:
    """Two clients carry one mark."""
    await _copy(office)
    return await _check(office)


async def duplicate_incident(office: Office) -> Handle:
    """A person retries too early, then archives the copy and retries again."""
    client_id, copy = await _copy(office)
    await (await _check(office)).result()
    hold = await office.hold_listed(f"freshbooks {client_id} {copy}")
    incident = office.temporal.get_workflow_handle(hold.workflow_id)
    await incident.execute_update("resolve", Resolution(choice="retry"))
    await office.hold_listed(f"freshbooks {client_id} {copy}")
    await office.firm.change_client(copy, vis_state=1)
    await incident.execute_update("resolve", Resolution(choice="retry"))
    return incident


async def _copy(office: Office) -> tuple[int, int]:
    party_id = await office.firm.new_party()
    client_id = (await office.sync(party_id)).client_id or 0
    return client_id, await office.firm.new_client(note=str(office.firm.client(client_id)["note"]))


async def _check(office: Office) -> Handle:
    request = DuplicateCheckRequest(connection=office.firm.name)
    return await office.temporal.start_workflow(
        DuplicateCheck.run, request, id="duplicate-check", task_queue=WORKFLOW_QUEUE
    )


TWO_WAY = (
    edited_on_both_sides,
    echo,
    deleted,
    merged,
    party_from_client,
    party_in_doubt_and_picked,
    bulk_creates,
    first_sweep_weighed,
    search_lag,
    open_intents,
    duplicate_check,
    duplicate_incident,
)
