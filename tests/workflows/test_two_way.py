"""What people change in FreshBooks reaches Capsule."""

from tests.sandboxes import Firm
from tests.workflows.office import Office
from workflows.models import Resolution

ADA = {
    "type": "person",
    "name": None,
    "firstName": "Ada",
    "lastName": "Byron",
    "emailAddresses": [{"type": "Work", "address": "ada@acme.test"}, {"type": "Home", "address": "ada@home.test"}],
    "phoneNumbers": [{"type": "Mobile", "number": "+44 7700 900123"}],
}


async def test_a_name_changed_in_freshbooks_reaches_capsule(two_way_office: Office, two_way_firm: Firm) -> None:
    """Z10, Z124."""
    office, firm = two_way_office, two_way_firm
    party_id = await firm.new_party(**ADA)
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        await firm.change_client(client_id, lname="King")
        await office.client_changed(client_id)
        assert (await office.result(party_id)).outcome == "updated"
    assert firm.party(party_id)["lastName"] == "King"
    assert firm.calls("PUT", "/clients/{id}") == 1  # the person's own; ours are none


async def test_an_email_address_changed_in_freshbooks_changes_its_row_and_adds_none(
    two_way_office: Office, two_way_firm: Firm
) -> None:
    """F20: a list in Capsule grows with every row that comes without its id."""
    office, firm = two_way_office, two_way_firm
    party_id = await firm.new_party(**ADA)
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        before = firm.party(party_id)["emailAddresses"]
        await firm.change_client(client_id, email="countess@acme.test")
        await office.client_changed(client_id)
        await office.result(party_id)
    after = firm.party(party_id)["emailAddresses"]
    assert [row["id"] for row in after] == [row["id"] for row in before]
    assert [row["address"] for row in after] == ["countess@acme.test", "ada@home.test"]


async def test_owner_and_team_of_a_party_stay_as_they_are(two_way_office: Office, two_way_firm: Firm) -> None:
    """S42: sending an owner without the team would clear the team."""
    office, firm = two_way_office, two_way_firm
    party_id = await firm.new_party(**ADA)
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        before = firm.party(party_id)
        await firm.change_client(client_id, mob_phone="+44 7700 900999")
        await office.client_changed(client_id)
        await office.result(party_id)
    after = firm.party(party_id)
    assert (after.get("owner"), after.get("team")) == (before.get("owner"), before.get("team"))
    assert after["phoneNumbers"][0]["number"] == "+44 7700 900999"


async def test_edits_of_different_fields_on_both_sides_both_arrive(two_way_office: Office, two_way_firm: Firm) -> None:
    """F21: neither is lost."""
    office, firm = two_way_office, two_way_firm
    party_id = await firm.new_party(**ADA)
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        await firm.change_client(client_id, mob_phone="+44 7700 900999")
        await firm.change_party(party_id, firstName="Augusta")
        await office.client_changed(client_id)
        await office.result(party_id)
    assert firm.client(client_id)["fname"] == "Augusta"
    assert firm.party(party_id)["phoneNumbers"][0]["number"] == "+44 7700 900999"


async def test_our_own_writes_come_back_as_news_and_write_nothing(two_way_office: Office, two_way_firm: Firm) -> None:
    """F20: each side is asked once, and that is all."""
    office, firm = two_way_office, two_way_firm
    party_id = await firm.new_party(**ADA)
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        await firm.change_client(client_id, lname="King")
        await office.client_changed(client_id)
        await office.result(party_id)
        puts = firm.calls("PUT")
        await office.client_changed(client_id)
        assert (await office.result(party_id)).outcome == "in-step"
        assert (await office.sync(party_id)).outcome == "in-step"
    assert firm.calls("PUT") == puts


async def test_a_field_changed_on_both_sides_follows_its_owner(two_way_office: Office, two_way_firm: Firm) -> None:
    """S4, S55: names belong to the CRM."""
    office, firm = two_way_office, two_way_firm
    party_id = await firm.new_party(**ADA)
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        await firm.change_client(client_id, lname="King")
        await firm.change_party(party_id, lastName="Lovelace")
        await office.client_changed(client_id)
        await office.result(party_id)
    assert (firm.client(client_id)["lname"], firm.party(party_id)["lastName"]) == ("Lovelace", "Lovelace")


async def test_a_client_entered_in_freshbooks_becomes_a_party(two_way_office: Office, two_way_firm: Firm) -> None:
    """Z124, Z74."""
    office, firm = two_way_office, two_way_firm
    client_id = await firm.new_client(fname="Bo", lname="Ek", email="bo@ek.test", p_city="Malmö", p_country="Sweden")
    async with office.working():
        await office.client_changed(client_id, "freshbooks webhook client.create")
        result = await office.client_result(client_id)
    assert result.outcome == "created"
    party = firm.party(result.party_id or 0)
    assert (party["type"], party["firstName"], party["lastName"]) == ("person", "Bo", "Ek")
    assert [row["address"] for row in party["emailAddresses"]] == ["bo@ek.test"]
    assert len(firm.clients()) == 1


async def test_a_firm_entered_in_freshbooks_becomes_an_organisation(two_way_office: Office, two_way_firm: Firm) -> None:
    """Z75."""
    office, firm = two_way_office, two_way_firm
    client_id = await firm.new_client(organization="Ek AB", email="office@ek.test")
    async with office.working():
        await office.client_changed(client_id)
        party_id = (await office.client_result(client_id)).party_id or 0
    assert (firm.party(party_id)["type"], firm.party(party_id)["name"]) == ("organisation", "Ek AB")


async def test_news_of_the_party_that_we_made_find_its_client_by_our_reference(
    two_way_office: Office, two_way_firm: Firm
) -> None:
    """F6: Capsule announces the new party before we have noted that it is the client's."""
    office, firm = two_way_office, two_way_firm
    client_id = await firm.new_client(organization="Ek AB")  # no address by which it could be recognised
    async with office.working():
        await office.client_changed(client_id)
        party_id = (await office.client_result(client_id)).party_id or 0
        assert (await office.sync(party_id)).client_id == client_id
    assert len(firm.clients()) == 1


async def test_a_lost_answer_of_capsule_makes_no_second_party(two_way_office: Office, two_way_firm: Firm) -> None:
    """F1, F2."""
    office, firm = two_way_office, two_way_firm
    client_id = await firm.new_client(organization="Ek AB")
    firm.crm_fault(method="POST", path="/parties$", fault="commit_then_cut", times=1)
    async with office.working():
        await office.client_changed(client_id)
        result = await office.client_result(client_id)
    assert result.outcome == "adopted"
    assert len(firm.sandbox.capsule_service.records.all("party")) == 1


async def test_a_client_with_the_address_of_one_party_is_linked_to_it(
    two_way_office: Office, two_way_firm: Firm
) -> None:
    """F4."""
    office, firm = two_way_office, two_way_firm
    party_id = await firm.new_party(**ADA)
    client_id = await firm.new_client(fname="Ada", lname="Byron", email="ADA@acme.test")
    async with office.working():
        await office.client_changed(client_id)
        assert (await office.client_result(client_id)).party_id == party_id
    assert firm.calls("POST", "/parties") == 1  # the person's own


async def test_a_client_whose_address_two_parties_have_waits_for_a_person(
    two_way_office: Office, two_way_firm: Firm
) -> None:
    """F4."""
    office, firm = two_way_office, two_way_firm
    shared = [{"address": "office@acme.test"}]
    parties = [await firm.new_party(name=name, emailAddresses=shared) for name in ("Acme North", "Acme South")]
    client_id = await firm.new_client(organization="Acme", email="office@acme.test")
    async with office.working():
        await office.client_changed(client_id)
        assert (await office.hold_of_client(client_id)).reason == "doubtful-match"
        pick = Resolution(choice="pick", party_id=parties[1])
        await office.client_workflow(client_id).execute_update("resolve", pick)
        assert (await office.client_result(client_id)).party_id == parties[1]
    assert await firm.store.links.crm_id_of(firm.name, "clients", str(client_id)) == str(parties[1])


async def test_without_the_field_for_our_reference_no_party_is_created_and_a_person_is_told(
    office: Office, firm: Firm
) -> None:
    """F2: a party that could not be found again must not be created."""
    firm.use_clients(direction="both")
    client_id = await firm.new_client(organization="Ek AB")
    async with office.working():
        await office.client_changed(client_id)
        assert (await office.hold_of_client(client_id)).reason == "rejected"
        await firm.new_field("Ledgerline reference")
        await office.client_workflow(client_id).execute_update("resolve", Resolution(choice="retry"))
        assert (await office.client_result(client_id)).outcome == "created"


async def test_a_custom_field_that_was_deleted_in_capsule_empties_nothing(
    two_way_office: Office, two_way_firm: Firm
) -> None:
    """F29, S64: a field that is not there says nothing."""
    office, firm = two_way_office, two_way_firm
    vat = next(each["id"] for each in firm.sandbox.capsule_service.records.all("definition") if "VAT" in each["name"])
    party_id = await firm.new_party(**ADA, fields=[{"definition": {"id": vat}, "value": "DE1"}])
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
    await firm.delete_field(vat)
    await firm.change_party(party_id, firstName="Augusta")
    firm.use_clients()  # workers of a new day: the fields are read again, as they are every minute
    async with office.working():
        await office.sync(party_id)
    assert (firm.client(client_id)["fname"], firm.client(client_id)["vat_number"]) == ("Augusta", "DE1")


async def test_a_client_of_a_one_way_connection_stays_where_it_is(office: Office, firm: Firm) -> None:
    """S45."""
    client_id = await firm.new_client(organization="Ek AB")
    async with office.working():
        await office.client_changed(client_id)
        assert (await office.client_result(client_id)).outcome == "not-carried"
    assert firm.calls("POST", "/parties") == 0
