"""What no webhook told of reaches the other side all the same: sweeps that announce to real workflows."""

from datetime import UTC, datetime

from tests.sandboxes import Firm
from tests.workflows.office import Office, until
from tests.workflows.test_client_sweeps import swept as books_swept
from tests.workflows.test_sweeps import swept as crm_swept
from worker.accounts import Wiring, account_queues
from workflows.models import Resolution


def announcing(office: Office) -> None:
    """Let the firm's sweeps tell the real workflows."""
    firm, tell = office.firm, office.announcer
    wiring = Wiring(firm.settings, firm.http, firm.store, tell.party_changed, tell.client_changed)
    firm.queues = account_queues(firm.name, wiring)


async def test_a_client_that_no_webhook_told_of_gets_its_party(two_way_office: Office, two_way_firm: Firm) -> None:
    """Z30, Z124, S49."""
    office, firm = two_way_office, two_way_firm
    announcing(office)
    async with office.working():
        client_id = await firm.new_client(fname="Ada", lname="Byron", email="ada@acme.test")
        assert (await books_swept(office)).announced == 1
        party_id = (await office.client_result(client_id)).party_id
    assert party_id is not None
    assert firm.party(party_id)["lastName"] == "Byron"


async def test_an_edit_of_the_books_that_no_webhook_told_of_reaches_the_crm(
    two_way_office: Office, two_way_firm: Firm
) -> None:
    """Z30, S7."""
    office, firm = two_way_office, two_way_firm
    announcing(office)
    async with office.working():
        party_id = await firm.new_party(type="person", name=None, firstName="Ada", lastName="Byron")
        client_id = (await office.sync(party_id)).client_id or 0
        await books_swept(office)
        await firm.change_client(client_id, lname="King")
        assert (await books_swept(office)).announced == 1

        async def arrived() -> bool:
            return bool(firm.party(party_id)["lastName"] == "King")

        await until(arrived)
        await office.result(party_id)
        assert (await books_swept(office)).announced == 0


async def test_a_deletion_that_no_webhook_told_of_archives_the_client(
    two_way_office: Office, two_way_firm: Firm
) -> None:
    """F16, F18."""
    office, firm = two_way_office, two_way_firm
    announcing(office)
    async with office.working():
        party_id = await firm.new_party(name="Acme Ltd")
        client_id = (await office.sync(party_id)).client_id or 0
        await firm.delete_party(party_id)
        assert (await crm_swept(office)).announced == 1

        async def archived() -> bool:
            return bool(firm.client(client_id)["vis_state"] == 2)

        await until(archived)
        await office.result(party_id)


async def test_a_client_that_a_person_skipped_is_not_brought_up_by_every_sweep(
    two_way_office: Office, two_way_firm: Firm
) -> None:
    """S29: FreshBooks lists it for the rest of the day."""
    office, firm = two_way_office, two_way_firm
    announcing(office)
    async with office.working():
        await firm.store.cursors.advance(firm.name, "freshbooks.clients", datetime.now(UTC))
        for name in ("North", "South"):
            await firm.new_party(name=name, emailAddresses=[{"address": "office@acme.test"}])
        client_id = await firm.new_client(organization="Acme Ltd", email="office@acme.test")
        await books_swept(office)
        await office.hold_of_client(client_id)
        await office.client_workflow(client_id).execute_update("resolve", Resolution(choice="skip"), result_type=str)
        assert (await office.client_result(client_id)).outcome == "skipped"
        assert (await books_swept(office)).announced == 0
    assert await firm.store.holds.listed() == []
