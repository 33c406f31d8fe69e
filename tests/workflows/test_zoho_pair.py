"""A firm with Zoho CRM: contacts and accounts and their clients, both ways, by the same workflows as any other CRM."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client

from runtime.queues import WORKFLOW_QUEUE
from tests.attended import attended
from tests.sandboxes import Firm
from tests.workflows.office import Office
from tests.zoho_firms import ACCOUNTS, CONTACTS, ZohoPeople
from workflows.models import SweepRequest
from workflows.sweeps import PartySweep

ADA = {
    "First_Name": "Ada",
    "Last_Name": "Okafor",
    "Email": "ada@okafor.test",
    "Mobile": "+44 7700 900123",
    "Mailing_City": "Leeds",
    "Mailing_Country": "United Kingdom",
}


@pytest.fixture
async def office(temporal: Client, zoho_firm: Firm) -> AsyncIterator[Office]:
    """The firm on a real Temporal server."""
    opened = Office(temporal, zoho_firm)
    yield opened
    await opened.close()


@pytest.fixture
def people(zoho_firm: Firm) -> ZohoPeople:
    """Those who work with its Zoho CRM."""
    return ZohoPeople(zoho_firm)


async def test_a_contact_becomes_one_client_that_names_its_account(
    office: Office, zoho_firm: Firm, people: ZohoPeople
) -> None:
    """Z74, Z77."""
    account = await people.enter(ACCOUNTS, Account_Name="Okafor Ltd")
    contact = await people.enter(CONTACTS, **ADA, Account_Name={"id": str(account)})
    async with office.working():
        assert (await office.sync(contact)).outcome == "created"
        assert (await office.sync(contact)).outcome == "in-step"
    (client,) = zoho_firm.clients()
    named = {key: client[key] for key in ("fname", "lname", "email", "organization", "p_city", "p_country")}
    assert named == {
        "fname": "Ada",
        "lname": "Okafor",
        "email": "ada@okafor.test",
        "organization": "Okafor Ltd",
        "p_city": "Leeds",
        "p_country": "United Kingdom",
    }


async def test_an_account_without_contacts_becomes_a_client_of_its_own_name(
    office: Office, zoho_firm: Firm, people: ZohoPeople, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Z75."""
    account = await people.enter(ACCOUNTS, Account_Name="Okafor Ltd", Billing_City="Leeds")
    async with office.working():
        assert (await office.sync(account)).outcome == "too-early"  # a contact may be entered in the next minute
        monkeypatch.setattr("activities.zoho_crm.ALONE_AFTER", timedelta(0))
        assert (await office.sync(account)).outcome == "created"
    (client,) = zoho_firm.clients()
    assert (client["organization"], client["p_city"]) == ("Okafor Ltd", "Leeds")


async def test_an_account_whose_contact_is_a_client_gets_no_client_of_its_own(
    office: Office, zoho_firm: Firm, people: ZohoPeople
) -> None:
    """Z75: one firm is billed once, through the person."""
    account = await people.enter(ACCOUNTS, Account_Name="Okafor Ltd")
    contact = await people.enter(CONTACTS, **ADA, Account_Name={"id": str(account)})
    async with office.working():
        assert (await office.sync(contact)).outcome == "created"
        assert (await office.sync(account)).outcome == "left-to-people"
    assert [client["organization"] for client in zoho_firm.clients()] == ["Okafor Ltd"]
    assert await zoho_firm.store.intents.open_one(zoho_firm.record_key(account)) is None


async def test_a_client_of_a_new_firm_becomes_a_contact_of_a_new_account(
    office: Office, zoho_firm: Firm, people: ZohoPeople
) -> None:
    """Z75."""
    client_id = await zoho_firm.new_client(
        fname="Ada", lname="Okafor", email="ada@okafor.test", organization="O'Neill Ltd"
    )
    async with office.working():
        await office.client_changed(client_id)
        result = await office.client_result(client_id)
    (account,) = await people.all(ACCOUNTS)
    record = await people.record(CONTACTS, result.party_id or 0)
    assert (account["Account_Name"], record["Account_Name"]["id"]) == ("O'Neill Ltd", account["id"])


async def test_a_merged_contact_leaves_its_client_to_the_one_that_is_left(
    office: Office, zoho_firm: Firm, people: ZohoPeople
) -> None:
    """F17: the client follows, and nothing is made anew."""
    loser = await people.enter(CONTACTS, **ADA)
    winner = await people.enter(CONTACTS, Last_Name="Okafor-Berg")
    async with office.working():
        client_id = (await office.sync(loser)).client_id or 0
        await people.delete(CONTACTS, loser)
        await people.change(CONTACTS, winner, Secondary_Email=ADA["Email"])
        assert (await office.sync(loser)).outcome == "merged"
        office.expect(winner)
        await office.result(winner)
    assert zoho_firm.client(client_id)["lname"] == "Okafor-Berg"
    assert len(zoho_firm.clients()) == 1


async def test_what_a_first_sweep_lists_is_not_read_again_one_by_one(
    office: Office, zoho_firm: Firm, people: ZohoPeople
) -> None:
    """F33: a hundred records cost a request, not each of them one."""
    contacts = [
        await people.enter(CONTACTS, Last_Name=f"Okafor {number}", Email=f"o{number}@okafor.test")
        for number in range(20)
    ]
    reads = zoho_firm.calls("GET", "/{id}")
    async with attended(office):
        await office.temporal.execute_workflow(
            PartySweep.run,
            SweepRequest(connection=zoho_firm.name, crm="zoho_crm"),
            id=f"party-sweep/{zoho_firm.name}",
            task_queue=WORKFLOW_QUEUE,
        )
        for contact in contacts:
            office.expect(contact)
            assert (await office.result(contact)).outcome == "created"
        assert zoho_firm.calls("GET", "/{id}") == reads
        await people.change(CONTACTS, contacts[0], Last_Name="King")
        assert (await office.sync(contacts[0])).outcome == "updated"
    assert len(zoho_firm.clients()) == 20


async def test_a_list_that_is_older_than_the_last_pass_is_not_believed(
    office: Office, zoho_firm: Firm, people: ZohoPeople
) -> None:
    """F21: a slow sweep must not bring back what a webhook has overtaken."""
    contact = await people.enter(CONTACTS, **ADA)
    async with office.working():
        await office.sync(contact)
        old = await zoho_firm.read_party(contact)
        await people.change(CONTACTS, contact, Last_Name="King")
        client_id = (await office.sync(contact)).client_id or 0
        await office.announcer.party_changed(zoho_firm.name, contact, "sweep", 3, old)
        assert (await office.result(contact)).outcome == "in-step"
    assert zoho_firm.client(client_id)["lname"] == "King"


async def test_what_a_bookkeeper_changes_reaches_the_contact(
    office: Office, zoho_firm: Firm, people: ZohoPeople
) -> None:
    """Z10, Z124."""
    contact = await people.enter(CONTACTS, **ADA)
    async with office.working():
        client_id = (await office.sync(contact)).client_id or 0
        await zoho_firm.change_client(client_id, mob_phone="+44 7700 900999")
        await people.change(CONTACTS, contact, Mailing_City="York")
        await office.client_changed(client_id)
        assert (await office.result(contact)).outcome == "updated"
        writes = zoho_firm.calls("PUT")
        await office.client_changed(client_id)
        assert (await office.result(contact)).outcome == "in-step"
    assert (await people.record(CONTACTS, contact))["Mobile"] == "+44 7700 900999"
    assert zoho_firm.client(client_id)["p_city"] == "York"
    assert zoho_firm.calls("PUT") == writes


async def test_a_client_entered_in_the_books_becomes_one_contact_of_its_account(
    office: Office, zoho_firm: Firm, people: ZohoPeople
) -> None:
    """Z10, Z77: also where the answer of the create is lost."""
    account = await people.enter(ACCOUNTS, Account_Name="Okafor Ltd")
    client_id = await zoho_firm.new_client(
        fname="Ada", lname="Okafor", email="ada@okafor.test", organization="Okafor Ltd"
    )
    zoho_firm.crm_fault(method="POST", path="/Contacts/upsert", fault="commit_then_cut", times=1)
    async with office.working():
        await office.client_changed(client_id)
        result = await office.client_result(client_id)
    (contact,) = await people.all(CONTACTS)
    assert (int(contact["id"]), contact["Last_Name"]) == (result.party_id, "Okafor")
    record = await people.record(CONTACTS, int(contact["id"]))
    assert record["Account_Name"]["id"] == str(account)
    assert len(zoho_firm.clients()) == 1


async def test_a_deleted_contact_has_its_client_archived(office: Office, zoho_firm: Firm, people: ZohoPeople) -> None:
    """F11."""
    contact = await people.enter(CONTACTS, **ADA)
    async with office.working():
        client_id = (await office.sync(contact)).client_id or 0
        await people.delete(CONTACTS, contact)
        await office.sync(contact)
    assert zoho_firm.client(client_id)["vis_state"] == 2


async def test_a_conflict_about_the_tax_number_waits_for_a_person(
    office: Office, zoho_firm: Firm, people: ZohoPeople
) -> None:
    """F21: where a field asks, the two systems are not played off against each other."""
    await people.api.create_field(CONTACTS, {"fields": [{"field_label": "VAT Number", "data_type": "text"}]})
    contact = await people.enter(CONTACTS, **ADA, VAT_Number="GB 1")
    async with office.working():
        client_id = (await office.sync(contact)).client_id or 0
        await zoho_firm.change_client(client_id, vat_number="GB 2")
        await people.change(CONTACTS, contact, VAT_Number="GB 3")
        await office.announce(contact)
        assert (await office.hold(contact)).reason == "conflict"
