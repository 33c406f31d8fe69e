"""Rules of a mapping in the flow of clients: who is left out, what is looked up, what a function says."""

from pathlib import Path

import pytest

from tests.sandboxes import Firm
from tests.workflows.office import Office
from tests.workflows.plan_desk import PlanDesk
from workflows.models import Resolution
from workflows.search_attributes import IN_STEP, SYNC_STATE

OFFICE = [{"address": "office@acme.test"}]
CUSTOMERS = {"when": '"customer" in tags'}
CUSTOMER = [{"name": "customer"}]
PERSON = 1


def gone(firm: Firm, party_id: int) -> list[dict[str, object]]:
    """Return how the tags of a party are taken away."""
    return [{"id": tag["id"], "_delete": True} for tag in firm.party(party_id)["tags"]]


async def why(office: Office, party_id: int) -> str:
    """Return why a party is held, then leave it."""
    hold = await office.hold(party_id)
    assert hold.reason == "rejected"
    evidence = await office.firm.store.holds.evidence(hold.workflow_id)
    await office.resolve(party_id, Resolution(choice="skip"))
    assert (await office.result(party_id)).outcome == "skipped"
    return str(evidence)


async def test_only_customers_become_clients(office: Office, firm: Firm) -> None:
    """S56."""
    firm.use_clients(mapping=CUSTOMERS)
    customer = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE, tags=CUSTOMER)
    supplier = await firm.new_party(name="Paper Ltd", emailAddresses=[{"address": "office@paper.test"}])
    async with office.working():
        assert (await office.sync(customer)).outcome == "created"
        assert (await office.sync(supplier)).outcome == "left-to-people"
        assert await office.shows(supplier, SYNC_STATE) == IN_STEP
    assert [each["organization"] for each in firm.clients()] == ["Acme Ltd"]


async def test_a_supplier_that_becomes_a_customer_gets_a_client(office: Office, firm: Firm) -> None:
    """S56."""
    firm.use_clients(mapping=CUSTOMERS)
    party_id = await firm.new_party(name="Paper Ltd", emailAddresses=OFFICE)
    async with office.working():
        await office.sync(party_id)
        assert firm.clients() == []
        await firm.change_party(party_id, tags=CUSTOMER)
        assert (await office.sync(party_id)).outcome == "created"
    assert [each["organization"] for each in firm.clients()] == ["Paper Ltd"]


async def test_a_party_that_stops_being_a_customer_is_left_alone_and_taken_up_again(office: Office, firm: Firm) -> None:
    """S56: never deleted; what changed meanwhile on either side is carried once it is a customer again."""
    firm.use_clients(mapping=CUSTOMERS)
    party_id = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE, tags=CUSTOMER)
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        await firm.change_party(party_id, tags=gone(firm, party_id), name="Acme & Sons")
        await firm.change_client(client_id, p_city="Kiel")
        assert (await office.sync(party_id)).outcome == "in-step"
        (client,) = firm.clients()
        assert (client["organization"], client["p_city"], client["vis_state"]) == ("Acme Ltd", "Kiel", 0)
        await firm.change_party(party_id, tags=CUSTOMER)
        assert (await office.sync(party_id)).outcome == "updated"
    (client,) = firm.clients()
    assert (client["organization"], client["p_city"]) == ("Acme & Sons", "Kiel")


async def test_the_client_of_a_former_customer_stays_when_the_party_is_deleted(office: Office, firm: Firm) -> None:
    """S56: what is left out is not ours to archive."""
    firm.use_clients(mapping=CUSTOMERS)
    party_id = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE, tags=CUSTOMER)
    async with office.working():
        await office.sync(party_id)
        await firm.change_party(party_id, tags=gone(firm, party_id))
        await office.sync(party_id)
        await firm.delete_party(party_id)
        assert (await office.sync(party_id)).outcome == "gone"
    assert [each["vis_state"] for each in firm.clients()] == [0]


async def test_a_person_who_asks_for_a_party_that_is_left_out_is_told_why(office: Office, firm: Firm) -> None:
    firm.use_clients(mapping=CUSTOMERS)
    party_id = await firm.new_party(name="Paper Ltd", emailAddresses=OFFICE)
    async with office.working():
        await office.announce(party_id, "a person", PERSON)
        said = await why(office, party_id)
    assert 'whose `when` it does not meet: "customer" in tags' in said
    assert firm.clients() == []


async def test_a_client_that_is_new_in_the_books_gets_no_party_that_the_mapping_would_leave_out(
    two_way_office: Office, two_way_firm: Firm
) -> None:
    office, firm = two_way_office, two_way_firm
    firm.use_clients(mapping=CUSTOMERS)
    client_id = await firm.new_client(organization="Acme Ltd", email="office@acme.test")
    async with office.working():
        await office.client_changed(client_id)
        assert (await office.client_result(client_id)).outcome == "not-carried"


async def test_a_condition_that_cannot_be_worked_out_holds_that_party(office: Office, firm: Firm) -> None:
    """S54."""
    firm.use_clients(mapping={"when": 'int(fields["Seats"]) > 10'})
    await firm.new_field("Seats")
    party_id = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE)
    async with office.working():
        await office.announce(party_id)
        said = await why(office, party_id)
    assert "when: for this party it reads a text as a number" in said


async def test_a_value_is_looked_up_in_the_table_beside_the_settings(
    office: Office, firm: Firm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S58, Z34: and what the table does not have waits for a person."""
    monkeypatch.setenv("LEDGERLINE_CONFIG", str(tmp_path / "ledgerline.yaml"))
    (tmp_path / "industries.csv").write_text("key,value\nNACE 10,Food\n", encoding="utf-8")
    lookup = {"from": "about", "lookup": {"table": "industries.csv", "missing": "refuse"}}
    firm.use_clients(mapping={"company_industry": lookup, "note": None})
    baker = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE, about="nace 10")
    other = await firm.new_party(name="Paper Ltd", emailAddresses=[{"address": "office@paper.test"}], about="NACE 17")
    async with office.working():
        assert (await office.sync(baker)).outcome == "created"
        await office.announce(other)
        said = await why(office, other)
    assert [each["company_industry"] for each in firm.clients()] == ["Food"]
    assert "company_industry: is not in the table industries.csv: correct the record, or add it there" in said
    assert "NACE" not in said


async def test_a_function_of_the_firm_that_fails_holds_the_party_under_its_name(
    office: Office, firm: Firm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S58, Z34"""
    monkeypatch.setenv("LEDGERLINE_CONFIG", str(tmp_path / "ledgerline.yaml"))
    (tmp_path / "rules").mkdir()
    source = "def size_of(party):\n    return '1-10' if int(party['about']) < 11 else '11+'\n"
    (tmp_path / "rules" / "sizes.py").write_text(source, encoding="utf-8")
    firm.use_clients(mapping={"company_size": {"from": "about", "enrich": "sizes:size_of"}, "note": None})
    small = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE, about="7")
    odd = await firm.new_party(name="Paper Ltd", emailAddresses=[{"address": "office@paper.test"}], about="a dozen")
    async with office.working():
        await office.sync(small)
        await office.announce(odd)
        said = await why(office, odd)
    assert [each["company_size"] for each in firm.clients()] == ["1-10"]
    assert "sizes:size_of failed with ValueError" in said
    assert "dozen" not in said


async def test_a_field_whose_condition_is_not_met_stays_as_it_is_on_both_sides(
    two_way_office: Office, two_way_firm: Firm
) -> None:
    """S65: the firm's name belongs to the books as long as sales does not say otherwise."""
    office, firm = two_way_office, two_way_firm
    firm.use_clients(mapping={"organization": {"when": CUSTOMERS["when"]}})
    party_id = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE, tags=CUSTOMER)
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        await firm.change_party(party_id, tags=gone(firm, party_id), name="Acme & Sons")
        await firm.change_client(client_id, organization="ACME LIMITED")
        await office.sync(party_id)
        assert firm.clients()[0]["organization"] == "ACME LIMITED"
        assert firm.party(party_id)["name"] == "Acme & Sons"
        await firm.change_party(party_id, tags=CUSTOMER)
        await office.sync(party_id)
    assert firm.clients()[0]["organization"] == "Acme & Sons"  # both changed it, and it belongs to the CRM


async def test_a_new_client_is_carried_to_the_crm_in_full_whatever_its_fields_conditions(
    two_way_office: Office, two_way_firm: Firm
) -> None:
    """S65: nobody can have tagged a party that is not there yet."""
    office, firm = two_way_office, two_way_firm
    await firm.new_field("Ledgerline reference")
    firm.use_clients(mapping={"organization": {"when": CUSTOMERS["when"]}})
    client_id = await firm.new_client(organization="Acme Ltd", email="office@acme.test")
    async with office.working():
        await office.client_changed(client_id)
        party_id = (await office.client_result(client_id)).party_id or 0
    assert firm.party(party_id)["name"] == "Acme Ltd"
    assert [each["organization"] for each in firm.clients()] == ["Acme Ltd"]


async def test_as_long_as_a_party_is_left_out_its_changes_are_no_news(firm: Firm) -> None:
    """S56: a sweep compares fingerprints, and announces what differs."""
    firm.use_clients(mapping=CUSTOMERS)
    party_id = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE)
    first = (await firm.read_party(party_id)).fingerprint
    await firm.change_party(party_id, name="Acme & Sons")
    assert (await firm.read_party(party_id)).fingerprint == first
    await firm.change_party(party_id, tags=CUSTOMER)
    assert (await firm.read_party(party_id)).fingerprint != first


async def test_a_plan_shows_who_is_left_out_and_why(office: Office, firm: Firm) -> None:
    """S2, S56"""
    firm.use_clients(mapping=CUSTOMERS)
    party_id = await firm.new_party(name="Paper Ltd", emailAddresses=OFFICE)
    desk = PlanDesk(office)
    async with office.working():
        (item,) = await desk.items(await desk.made())
    await desk.close()
    assert (item.action, item.reason, item.party_id) == ("skip", "left-out", party_id)
    assert '"customer" in tags' in str(item.detail["text"])
