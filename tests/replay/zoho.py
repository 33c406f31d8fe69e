"""Scenarios of a firm with Zoho CRM, which can show many records at once."""

from typing import Any

from temporalio.client import WorkflowHandle

from runtime.queues import WORKFLOW_QUEUE
from tests.workflows.office import Office
from tests.zoho_firms import ACCOUNTS, CONTACTS, ZohoPeople
from workflows.bulk import BulkCreates
from workflows.hooks import HookUpkeep
from workflows.models import BulkRequest, ConnectionRequest, Resolution, SweepRequest
from workflows.sweeps import PartySweep

Handle = WorkflowHandle[Any, Any]


async def contact_as_listed(office: Office) -> Handle:
    """A sweep hands over a contact as its list shows it."""
    contact = await ZohoPeople(office.firm).enter(CONTACTS, Last_Name="Okafor", Email="ada@okafor.test")
    side = await office.firm.read_party(contact)
    office.expect(contact)
    await office.announcer.party_changed(office.firm.name, contact, "sweep", 3, side)
    await office.result(contact)
    return office.workflow(contact)


async def account_left_to_its_people(office: Office) -> Handle:
    """An account has a contact, which is the client."""
    people = ZohoPeople(office.firm)
    account = await people.enter(ACCOUNTS, Account_Name="Okafor Ltd")
    await people.enter(CONTACTS, Last_Name="Okafor", Account_Name={"id": str(account)})
    await office.sync(account)
    return office.workflow(account)


async def bulk_creates_together(office: Office) -> Handle:
    """A create waits, a person approves it, and it goes on as a list of all that waited shows it."""
    firm, contact = office.firm, await ZohoPeople(office.firm).enter(CONTACTS, Last_Name="Okafor")
    await firm.store.waiting.add([firm.record_key(contact)])
    handle = await office.temporal.start_workflow(
        BulkCreates.run, BulkRequest(connection=firm.name, crm="zoho_crm"), id="bulk", task_queue=WORKFLOW_QUEUE
    )
    await office.hold_listed("bulk-creates")
    await handle.execute_update("resolve", Resolution(choice="approve"))
    return handle


async def first_sweep_together(office: Office) -> Handle:
    """A first sweep lets the one create that it found go on."""
    await ZohoPeople(office.firm).enter(CONTACTS, Last_Name="Okafor")
    request = SweepRequest(connection=office.firm.name, crm="zoho_crm")
    return await office.temporal.start_workflow(PartySweep.run, request, id="party-sweep", task_queue=WORKFLOW_QUEUE)


async def channels_enabled(office: Office) -> Handle:
    """Channels and callbacks are missing, and made."""
    request = ConnectionRequest(connection=office.firm.name, crm="zoho_crm")
    return await office.temporal.start_workflow(HookUpkeep.run, request, id="hook-upkeep", task_queue=WORKFLOW_QUEUE)


ZOHO = (contact_as_listed, account_left_to_its_people, bulk_creates_together, first_sweep_together, channels_enabled)
