"""How a change reaches its workflow: ids that read, what operators can search for, and nothing about people."""

from temporalio.common import TypedSearchAttributes

from starters.announce import client_upsert_id
from tests.sandboxes import Firm
from tests.starters.doorway import link
from tests.workflows.office import Office
from workflows.search_attributes import CONNECTION, FLOW, RECORD_KEY, SYNC_STATE, SYNCING


def shown(attributes: TypedSearchAttributes) -> dict[str, object]:
    return {key.name: attributes.get(key) for key in (CONNECTION, FLOW, RECORD_KEY, SYNC_STATE)}


def test_the_id_of_a_workflow_can_be_read() -> None:
    assert client_upsert_id("acme", 7) == "client-upsert/acme/capsule-party-7"


async def test_operators_can_search_for_a_sync_by_connection_flow_record_and_state(office: Office, firm: Firm) -> None:
    """S51."""
    await office.announce(7)
    described = await office.workflow(7).describe()
    assert shown(described.typed_search_attributes) == {
        "Connection": firm.name,
        "Flow": "clients",
        "RecordKey": "capsule-party-7",
        "SyncState": SYNCING,
    }


async def test_the_summary_names_records_and_no_people(office: Office, firm: Firm) -> None:
    """Z132."""
    await office.announce(7)
    summary = await (await office.workflow(7).describe()).static_summary()
    assert summary == f"Capsule party 7 → FreshBooks client ({firm.name})"


async def test_a_second_change_joins_the_workflow_that_runs(office: Office) -> None:
    """F6."""
    await office.announce(7)
    first = (await office.workflow(7).describe()).run_id
    await office.announce(7, cause="sweep", rank=3)
    assert (await office.workflow(7).describe()).run_id == first


async def test_a_change_of_a_client_goes_to_the_party_it_is_linked_to(office: Office, firm: Firm) -> None:
    party_id = await firm.new_party()
    await link(firm, party_id, 90210)
    office.expect(party_id)
    await office.announcer.client_changed(firm.name, "90210", "freshbooks webhook client.update", 2)
    assert shown((await office.workflow(party_id).describe()).typed_search_attributes)["SyncState"] == SYNCING


async def test_a_client_that_nobody_knows_gets_a_workflow_that_looks_for_its_party(office: Office, firm: Firm) -> None:
    """Z124."""
    await office.announcer.client_changed(firm.name, "4711", "freshbooks webhook client.create", 2)
    handle = office.temporal.get_workflow_handle(f"client-upsert/{firm.name}/freshbooks-client-4711")
    assert shown((await handle.describe()).typed_search_attributes)["RecordKey"] == "freshbooks-client-4711"
    await handle.terminate()
