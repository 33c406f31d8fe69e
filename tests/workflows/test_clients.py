"""A party and its client are brought in step, on a real Temporal server, against the sandbox."""

import asyncio

from temporalio import activity

from activities.clients import ClientActivities
from activities.models import Found, LookForClient, PartyKey, PartySide
from tests.sandboxes import Firm
from tests.workflows.office import Office
from workflows.models import Change, ClientUpsertRequest, ClientUpsertResult
from workflows.search_attributes import IN_STEP, SYNC_STATE

OFFICE = [{"address": "office@acme.test"}]


class SlowReading:
    """Stands in for `read_party`: the first reading waits until a test says go."""

    def __init__(self, firm: Firm) -> None:
        self._firm = firm
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    @activity.defn(name="read_party")
    async def read_party(self, key: PartyKey) -> PartySide:
        self.begun.set()
        await self.go_on.wait()
        return await self._firm.read_party(key.party_id)


class LookingTogether:
    """Stands in for `look_for_client`: nobody's first look is answered before everybody has looked."""

    def __init__(self, firm: Firm, parties: int) -> None:
        self._firm, self._waited = firm, set[int]()
        self._everybody = asyncio.Barrier(parties)

    @activity.defn(name="look_for_client")
    async def look_for_client(self, search: LookForClient) -> Found:
        found = await self._firm.run(ClientActivities.look_for_client, search)
        if search.key.party_id not in self._waited:
            self._waited.add(search.key.party_id)
            await self._everybody.wait()
        return found


async def test_a_new_party_becomes_a_client(office: Office, firm: Firm) -> None:
    """S21, S23."""
    party_id = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE)
    async with office.working():
        result = await office.sync(party_id)
    (client,) = firm.clients()
    assert result == ClientUpsertResult(outcome="created", client_id=client["id"], passes=1)
    assert (client["organization"], client["email"]) == ("Acme Ltd", "office@acme.test")
    assert await office.shows(party_id, SYNC_STATE) == IN_STEP


async def test_a_changed_party_changes_only_those_fields_of_its_client(office: Office, firm: Firm) -> None:
    """S22."""
    party_id = await firm.new_party(name="Acme Ltd")
    async with office.working():
        await office.sync(party_id)
        (client,) = firm.clients()
        await firm.change_client(client["id"], p_city="Kiel")
        await firm.change_party(party_id, name="Acme & Sons")
        result = await office.sync(party_id)
    (client,) = firm.clients()
    assert result.outcome == "updated"
    assert (client["organization"], client["p_city"]) == ("Acme & Sons", "Kiel")


async def test_a_renamed_firm_is_announced_to_its_people_whose_clients_name_it(office: Office, firm: Firm) -> None:
    """S7, S24, S37: Capsule does not touch a person when the employer is renamed."""
    acme = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE)
    people = [await firm.new_party(type="person", firstName=name, organisation={"id": acme}) for name in ("Ada", "Bo")]
    async with office.working():
        for party in (acme, *people):
            await office.sync(party)
        firm.announced.clear()
        await firm.change_party(acme, name="Acme Group")
        assert (await office.sync(acme)).outcome == "updated"
        assert sorted(each.party_id for each in firm.announced) == people
        for person in people:
            assert (await office.sync(person)).outcome == "updated"
    assert {client["organization"] for client in firm.clients()} == {"Acme Group"}


async def test_a_firm_that_only_moved_does_not_concern_its_people(office: Office, firm: Firm) -> None:
    acme = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE)
    await firm.new_party(type="person", firstName="Ada", organisation={"id": acme})
    async with office.working():
        await office.sync(acme)
        await firm.change_party(acme, addresses=[{"type": "Office", "street": "1 New Street", "city": "Leeds"}])
        assert (await office.sync(acme)).outcome == "updated"
    assert firm.announced == []
    assert firm.calls("GET", "/people") == 0


async def test_ten_changes_during_a_pass_are_one_further_pass(office: Office, firm: Firm) -> None:
    """F6."""
    party_id, slow = await firm.new_party(), SlowReading(firm)
    async with office.working({"read_party": slow.read_party}):
        await office.announce(party_id)
        await slow.begun.wait()
        for number in range(10):
            await office.announce(party_id, cause=f"change {number}")
        slow.go_on.set()
        assert (await office.result(party_id)).passes == 2
    assert len(firm.clients()) == 1


async def test_the_same_change_announced_five_times_is_written_once(office: Office, firm: Firm) -> None:
    """F6."""
    party_id = await firm.new_party(name="Acme Ltd")
    async with office.working():
        await office.sync(party_id)
        await firm.change_party(party_id, name="Acme & Sons")
        for _ in range(5):
            await office.sync(party_id)
    assert firm.calls("PUT", "/clients/{id}") == 1


async def test_a_party_that_did_not_change_costs_one_request_and_no_write(office: Office, firm: Firm) -> None:
    """Z140."""
    party_id = await firm.new_party()
    async with office.working():
        await office.sync(party_id)
        before = [firm.calls(method) for method in ("GET", "POST", "PUT")]
        result = await office.sync(party_id)
    assert result.outcome == "in-step"
    assert [firm.calls(method) for method in ("GET", "POST", "PUT")] == [before[0] + 1, *before[1:]]


async def test_a_person_who_asks_has_both_sides_compared(office: Office, firm: Firm) -> None:
    party_id = await firm.new_party()
    async with office.working():
        await office.sync(party_id)
        await office.announce(party_id, cause="Ida asked", rank=1)
        assert (await office.result(party_id)).outcome == "in-step"
    assert firm.calls("GET", "/clients/{id}") == 1


async def test_the_echo_of_our_own_write_writes_nothing(office: Office, firm: Firm) -> None:
    """F20: FreshBooks announces the client that we have just changed."""
    party_id = await firm.new_party()
    async with office.working():
        client_id = (await office.sync(party_id)).client_id
        await office.announcer.client_changed(firm.name, str(client_id), "freshbooks webhook client.update", 2)
        assert (await office.result(party_id)).outcome == "not-carried"
    assert firm.calls("PUT") == 0


async def test_two_parties_with_one_email_address_get_a_client_each(office: Office, firm: Firm) -> None:
    """S24: people of one firm share its address."""
    ada = await firm.new_party(type="person", firstName="Ada", name=None, emailAddresses=OFFICE)
    bo = await firm.new_party(type="person", firstName="Bo", name=None, emailAddresses=OFFICE)
    async with office.working():
        results = [await office.sync(party_id) for party_id in (ada, bo)]
    assert [each.outcome for each in results] == ["created", "created"]
    assert [each["fname"] for each in firm.clients()] == ["Ada", "Bo"]


async def test_the_client_that_a_bookkeeper_entered_is_adopted(office: Office, firm: Firm) -> None:
    """F4, F5."""
    client_id = await firm.new_client(organization="Acme", email="office@acme.test", p_city="Kiel")
    party_id = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE)
    async with office.working():
        result = await office.sync(party_id)
    (client,) = firm.clients()
    assert (result.outcome, result.client_id) == ("adopted", client_id)
    assert (client["organization"], client["p_city"]) == ("Acme Ltd", "Kiel")


async def test_an_adopted_client_that_says_the_same_is_only_linked(office: Office, firm: Firm) -> None:
    client_id = await firm.new_client(
        organization="Acme", email="office@acme.test", currency_code="EUR", language="en", note=""
    )
    party_id = await firm.new_party(name="Acme", emailAddresses=OFFICE)
    async with office.working():
        result = await office.sync(party_id)
    assert (result.outcome, result.client_id, firm.calls("PUT")) == ("adopted", client_id, 0)


async def test_a_change_of_rank_zero_does_not_stop_the_sync(office: Office, firm: Firm) -> None:
    """Whoever signals from the Temporal UI may type any number."""
    party_id = await firm.new_party()
    async with office.working():
        change = Change(system="capsule", cause="typed by hand", priority=0)
        await office.begin(ClientUpsertRequest(connection=firm.name, party_id=party_id, changes=[change]))
        assert (await office.result(party_id)).outcome == "created"


async def test_the_causes_of_many_changes_fit_the_audit_log(office: Office, firm: Firm) -> None:
    """S44: PostgreSQL refuses a longer text, and the write would never be confirmed."""
    party_id = await firm.new_party()
    changes = [Change(system="capsule", cause=f"change number {number} of a busy day") for number in range(40)]
    async with office.working():
        await office.begin(ClientUpsertRequest(connection=firm.name, party_id=party_id, changes=changes))
        await office.result(party_id)
    (line,) = await firm.store.audit.latest(1)
    assert line.cause.startswith("change number 0 of a busy day, change number 1")
    assert len(line.cause) <= 255


async def test_nothing_that_stands_unencrypted_names_a_person(office: Office, firm: Firm) -> None:
    """Z132: ids, summaries and search attributes are for everybody who sees the Temporal UI."""
    party_id = await firm.new_party(name="Secretive Ltd", emailAddresses=[{"address": "hidden@acme.test"}])
    async with office.working():
        await office.sync(party_id)
    history = (await office.workflow(party_id).fetch_history()).to_json()
    described = str((await office.workflow(party_id).describe()).raw_description)
    assert "Secretive" not in history + described
    assert "hidden@" not in history + described


async def test_a_worker_that_remembers_nothing_goes_on_where_the_last_one_stopped(office: Office, firm: Firm) -> None:
    """F41: every task replays the whole history."""
    party_id, slow = await firm.new_party(), SlowReading(firm)
    async with office.working({"read_party": slow.read_party}, remember=False):
        await office.announce(party_id)
        await slow.begun.wait()
        slow.go_on.set()
        await office.result(party_id)
        await firm.change_party(party_id, name="Acme & Sons")
        await office.sync(party_id)
    assert [each["organization"] for each in firm.clients()] == ["Acme & Sons"]


async def test_two_parties_that_want_the_same_client_do_not_both_write_to_it(office: Office, firm: Firm) -> None:
    """F20: both look before either has linked it."""
    taken = await firm.new_client(email="office@acme.test")
    parties = [
        await firm.new_party(type="person", firstName=name, name=None, emailAddresses=OFFICE) for name in ("Ada", "Bo")
    ]
    together = LookingTogether(firm, len(parties))
    async with office.working({"look_for_client": together.look_for_client}):
        for party_id in parties:
            await office.announce(party_id)
        results = [await office.result(party_id) for party_id in parties]
    assert sorted(each.outcome for each in results) == ["adopted", "created"]
    names = {result.client_id: name for result, name in zip(results, ("Ada", "Bo"), strict=True)}
    assert {each["id"]: each["fname"] for each in firm.clients()} == names
    assert taken in names


async def test_operators_see_what_waits_while_a_create_is_settling(office: Office, firm: Firm) -> None:
    firm.books_fault(method="POST", fault="cut_before", times=1)
    party_id = await firm.new_party()
    async with office.working():
        await office.announce(party_id)
        await office.state(party_id, SYNC_STATE, "in-doubt")
        await office.result(party_id)


async def test_a_sync_without_news_ends_at_once(office: Office, firm: Firm) -> None:
    party_id = await firm.new_party()
    async with office.working():
        await office.begin(ClientUpsertRequest(connection=firm.name, party_id=party_id))
        assert (await office.result(party_id)).passes == 0
    assert firm.clients() == []
