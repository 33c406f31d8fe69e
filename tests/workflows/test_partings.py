"""Parties and clients that are archived, deleted, merged, and brought back."""

from tests.attended import attended
from tests.sandboxes import Firm
from tests.workflows.office import Office
from workflows.models import Resolution

ACTIVE, DELETED, ARCHIVED = 0, 1, 2
OFFICE = [{"address": "office@acme.test"}]


async def test_the_client_of_a_deleted_party_is_archived(office: Office, firm: Firm) -> None:
    """F16, F18: archived, not deleted, because an invoice may still be open."""
    party_id = await firm.new_party(emailAddresses=OFFICE)
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        await firm.delete_party(party_id)
        assert (await office.sync(party_id)).outcome == "archived"
    assert firm.client(client_id)["vis_state"] == ARCHIVED
    link = await firm.store.links.of_crm(firm.record_key(party_id))
    assert link is not None
    assert link.state == "tombstoned"


async def test_where_the_settings_say_so_the_client_of_a_deleted_party_is_kept(office: Office, firm: Firm) -> None:
    """S45."""
    firm.use_clients(when_party_deleted="keep")
    party_id = await firm.new_party()
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        await firm.delete_party(party_id)
        assert (await office.sync(party_id)).outcome == "gone"
    assert firm.client(client_id)["vis_state"] == ACTIVE


async def test_more_deletions_a_day_than_allowed_wait_for_a_person(office: Office, firm: Firm) -> None:
    """F16: somebody may have deleted the wrong list."""
    firm.use_clients(delete_limit=1)
    first, second = [await firm.new_party(name=name) for name in ("Acme", "Globex")]
    async with office.working():
        for party_id in (first, second):
            await office.sync(party_id)
            await firm.delete_party(party_id)
        assert (await office.sync(first)).outcome == "archived"
        await office.announce(second)
        assert (await office.hold(second)).reason == "bulk-limit"
        await office.resolve(second, Resolution(choice="reject"))
        assert (await office.result(second)).outcome == "gone"
    assert sorted(each["vis_state"] for each in firm.clients()) == [ACTIVE, ARCHIVED]


async def test_a_party_that_comes_back_brings_its_client_back(office: Office, firm: Firm) -> None:
    """F19: the link is taken up again; nothing is created anew."""
    party_id = await firm.new_party()
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        before = firm.party(party_id)
        await firm.delete_party(party_id)
        await office.sync(party_id)
        firm.sandbox.capsule_service.records.commit("create", "party", party_id, before)
        assert (await office.sync(party_id)).client_id == client_id
    assert firm.client(client_id)["vis_state"] == ACTIVE
    assert len(firm.clients()) == 1


async def test_a_link_follows_its_party_through_a_merge(office: Office, firm: Firm) -> None:
    """F17: the client of the party that is gone belongs to the one that is left."""
    loser = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE)
    async with office.working():
        client_id = (await office.sync(loser)).client_id or 0
        winner = await firm.new_party(name="Acme Limited")
        await firm.merge_parties(loser, winner)
        office.expect(winner)
        assert (await office.sync(loser)).outcome == "merged"
        assert (await office.result(winner)).client_id == client_id
    assert firm.client(client_id)["organization"] == "Acme Limited"
    assert len(firm.clients()) == 1


async def test_news_of_a_party_that_was_merged_reach_the_one_that_is_left(office: Office, firm: Firm) -> None:
    """F17: a webhook of the old id may come hours later."""
    loser = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE)
    async with office.working():
        await office.sync(loser)
        winner = await firm.new_party(name="Acme Limited")
        await firm.merge_parties(loser, winner)
        office.expect(winner)
        await office.sync(loser)
        await office.result(winner)
        assert (await office.sync(loser)).outcome == "merged"
    assert len(firm.clients()) == 1


async def test_a_merge_of_two_parties_with_clients_is_for_a_person(office: Office, firm: Firm) -> None:
    """F17: both clients may have invoices; only a bookkeeper can say which one stays."""
    loser = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE)
    winner = await firm.new_party(name="Acme Limited", emailAddresses=[{"address": "other@acme.test"}])
    async with office.working():
        lost = (await office.sync(loser)).client_id or 0
        await office.sync(winner)
        await firm.merge_parties(loser, winner)
        await office.announce(loser)
        assert (await office.hold(loser)).reason == "duplicate-found"
        await office.resolve(loser, Resolution(choice="approve"))
        assert (await office.result(loser)).outcome == "archived"
    assert firm.client(lost)["vis_state"] == ARCHIVED


async def test_a_client_that_a_person_deleted_is_not_made_again_until_asked(office: Office, firm: Firm) -> None:
    """F19."""
    party_id = await firm.new_party()
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        await firm.change_client(client_id, vis_state=DELETED)
        await firm.change_party(party_id, name="Acme & Sons")
        await office.announce(party_id)
        assert (await office.hold(party_id)).reason == "conflict"
        await office.resolve(party_id, Resolution(choice="skip"))
        assert (await office.result(party_id)).outcome == "skipped"
        assert (await office.sync(party_id)).outcome == "orphaned"
    assert len(firm.clients()) == 1


async def test_a_person_may_have_another_client_made_for_one_that_was_deleted(office: Office, firm: Firm) -> None:
    """F19."""
    party_id = await firm.new_party()
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        await firm.change_client(client_id, vis_state=DELETED)
        await firm.change_party(party_id, name="Acme & Sons")
        await office.announce(party_id)
        await office.hold(party_id)
        await office.resolve(party_id, Resolution(choice="create"))
        result = await office.result(party_id)
    assert result.outcome == "created"
    assert result.client_id not in {None, client_id}


async def test_an_orphaned_link_is_taken_up_again_when_the_client_is_undeleted(office: Office, firm: Firm) -> None:
    """F18."""
    party_id = await firm.new_party()
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        await firm.change_client(client_id, vis_state=DELETED)
        await firm.change_party(party_id, name="Acme & Sons")
        await office.announce(party_id)
        await office.hold(party_id)
        await office.resolve(party_id, Resolution(choice="skip"))
        await office.result(party_id)
        await firm.change_client(client_id, vis_state=ACTIVE)
        assert (await office.sync(party_id)).outcome == "updated"
    assert firm.client(client_id)["organization"] == "Acme & Sons"


async def test_a_party_that_vanished_before_its_client_was_made_leaves_nothing_open(office: Office, firm: Firm) -> None:
    """F19."""
    party_id = await firm.new_party()
    await firm.delete_party(party_id)
    async with office.working():
        assert (await office.sync(party_id)).outcome == "gone"
    assert await firm.store.intents.open_one(firm.record_key(party_id)) is None


async def test_a_pair_that_is_written_to_and_fro_is_held(two_way_office: Office, two_way_firm: Firm) -> None:
    """F20: five writes in ten minutes are enough; something on the other side may be answering us."""
    office, firm = two_way_office, two_way_firm
    party_id = await firm.new_party()
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        for number in range(2):
            await firm.change_client(client_id, organization=f"Acme {number}")
            await office.client_changed(client_id)
            await office.result(party_id)
            await firm.change_party(party_id, name=f"Acme Ltd {number}")
            await office.sync(party_id)
        await firm.change_client(client_id, organization="Acme once more")
        await office.client_changed(client_id)
        assert (await office.hold(party_id)).reason == "breaker"
        await office.resolve(party_id, Resolution(choice="approve"))
        assert (await office.result(party_id)).outcome == "updated"
    assert firm.party(party_id)["name"] == "Acme once more"


async def test_a_person_who_edits_a_record_again_and_again_is_no_loop(office: Office, firm: Firm) -> None:
    """S29: nobody is alerted for that."""
    party_id = await firm.new_party()
    async with office.working():
        for number in range(8):
            await firm.change_party(party_id, name=f"Acme {number}")
            assert (await office.sync(party_id)).outcome in {"created", "updated"}
    assert firm.clients()[0]["organization"] == "Acme 7"


async def test_more_creates_an_hour_than_allowed_wait_for_one_decision(office: Office, firm: Firm) -> None:
    """F5, F22: a wrong mapping must not flood the books."""
    firm.use_clients(bulk_limit=2)
    parties = [await firm.new_party(name=f"Customer {number} of many") for number in range(4)]
    async with attended(office):
        outcomes = [(await office.sync(party_id)).outcome for party_id in parties]
        assert outcomes == ["created", "created", "waiting", "waiting"]
        bulk = office.temporal.get_workflow_handle(f"bulk-creates/{firm.name}/clients")
        assert (await office.hold_listed("bulk-creates")).reason == "bulk-limit"
        await bulk.execute_update("resolve", Resolution(choice="approve"))
        await bulk.result()
        for party_id in parties[2:]:
            assert (await office.result(party_id)).outcome == "created"
    assert len(firm.clients()) == 4


async def test_creates_that_a_person_rejects_are_left_out(office: Office, firm: Firm) -> None:
    """F8."""
    firm.use_clients(bulk_limit=0)
    party_id = await firm.new_party()
    async with office.working():
        assert (await office.sync(party_id)).outcome == "waiting"
        await office.hold_listed("bulk-creates")
        bulk = office.temporal.get_workflow_handle(f"bulk-creates/{firm.name}/clients")
        await bulk.execute_update("resolve", Resolution(choice="reject"))
        await bulk.result()
    assert firm.clients() == []
    assert await firm.store.waiting.count(firm.name, "clients") == 0
