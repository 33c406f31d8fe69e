"""Records that the mapping leaves out: what a pass plans for them, and what sweeps make of them."""

from typing import Any

from activities.models import ClientSide, OpenCreate, PartyKey, PartySide, PlanClient
from activities.planning import plan_for_client, plan_without_client
from activities.sides import in_words
from activities.sweep_models import SweepPage, SweptPage
from activities.sweeps import SweepActivities
from mapping.engine import load_template
from mapping.plan import FieldWrite
from mapping.values import Value
from store.links import Agreement
from store.records import RecordKey
from tests.activities.steps import created
from tests.sandboxes import Firm
from tests.zoho_firms import CONTACTS, ZohoPeople
from worker.accounts import clients_template

CUSTOMERS = {"when": '"customer" in tags'}
CUSTOMER = [{"name": "customer"}]
TEMPLATE = load_template("capsule-freshbooks/clients").with_overrides(CUSTOMERS)
BASE: dict[str, Value] = {"organization": "Acme", "vat_number": "DE1"}


def asked(**party: Any) -> PlanClient:
    side = PartySide(exists=True, fingerprint="f", **party)
    create = OpenCreate(intent_id=1, reference="0123456789abcdef", fence=0)
    return PlanClient(key=PartyKey(connection="acme", party_id=7), party=side, create=create)


async def swept(firm: Firm) -> SweptPage:
    return await firm.run(
        SweepActivities.sweep_parties, SweepPage(connection=firm.name, since=None, page=1, priority=3)
    )


def _agreed(client_id: int, side: PartySide, version: str) -> Agreement:
    return Agreement(str(client_id), base={}, crm_seen=side.fingerprint, books_seen="", mapping_version=version)


def test_a_linked_party_that_is_left_out_writes_nothing_and_agrees_on_nothing_anew() -> None:
    """S56"""
    client = ClientSide(client_id=5, values={"organization": "ACME LIMITED"})
    planned = plan_for_client(asked(left_out="left out, because"), client, BASE, TEMPLATE)
    assert (planned.plan.action, planned.plan.writes, planned.plan.crm_writes) == ("none", [], [])
    assert planned.plan.explanation == "left out, because"
    assert planned.next_base == planned.final_base == BASE


def test_a_client_that_was_deleted_is_nobodys_business_while_its_party_is_left_out() -> None:
    client = ClientSide(client_id=5, visible=False)
    assert plan_for_client(asked(left_out="left out"), client, BASE, TEMPLATE).plan.action == "none"


def test_a_party_that_is_left_out_gets_no_client_even_if_a_person_asks() -> None:
    """S56: they are told why."""
    plan = plan_without_client(asked(left_out="left out, because"), {}, TEMPLATE).plan
    assert (plan.action, plan.hold_reason) == ("hold", "rejected")
    assert plan.explanation == "left out, because; change the party or the mapping, or skip"


def test_a_field_whose_condition_is_not_met_keeps_both_sides_and_what_they_last_agreed_on() -> None:
    """S65"""
    party = asked(values={"organization": "Acme Ltd", "vat_number": None}, unmet=["vat_number"])
    client = ClientSide(client_id=5, values={"organization": "Acme", "vat_number": "DE9"})
    planned = plan_for_client(party, client, BASE, TEMPLATE)
    assert planned.plan.writes == [FieldWrite(field="organization", before="Acme", after="Acme Ltd")]
    assert planned.plan.crm_writes == []
    assert (planned.next_base["vat_number"], planned.final_base["vat_number"]) == ("DE1", "DE1")
    assert planned.next_base["organization"] == "Acme Ltd"


async def test_a_sweep_announces_a_party_when_it_comes_back_and_not_while_it_is_out(firm: Firm) -> None:
    """S56, Z140: the fingerprint of a party that is left out does not move."""
    party_id, client_id = await created(firm, name="Acme Ltd")
    firm.use_clients(mapping=CUSTOMERS)
    side = await firm.read_party(party_id)
    version = clients_template(firm.name, firm.connection).version
    await firm.store.links.confirm(RecordKey(firm.name, "clients", str(party_id)), _agreed(client_id, side, version))
    await firm.change_party(party_id, name="Acme & Sons")
    assert await swept(firm) == SweptPage(listed=1, announced=0, has_more=False)
    await firm.change_party(party_id, tags=CUSTOMER)
    assert await swept(firm) == SweptPage(listed=1, announced=1, has_more=False)


async def test_a_first_sweep_counts_nobody_who_is_left_out_against_the_limit(firm: Firm) -> None:
    """F37: a thousand suppliers are no flood of new clients."""
    firm.use_clients(mapping=CUSTOMERS)
    for number in range(3):
        await firm.new_party(name=f"Supplier {number}")
    customer = await firm.new_party(tags=CUSTOMER)
    page = SweepPage(connection=firm.name, since=None, page=1, priority=3, keep_creates=True)
    await firm.run(SweepActivities.sweep_parties, page)
    waiting = await firm.store.waiting.oldest(firm.name, "clients", 10)
    assert [each.record_id for each in waiting] == [str(customer)]


async def test_what_a_condition_asks_of_zoho_is_asked_for_in_lists(zoho_firm: Firm) -> None:
    """S56: Zoho shows only the fields that are named."""
    people = ZohoPeople(zoho_firm)
    zoho_firm.use_clients(mapping={"when": 'Contacts.Lead_Source == "Trade Show"'})
    met = await people.enter(CONTACTS, Last_Name="Okafor", Lead_Source="Trade Show")
    await people.enter(CONTACTS, Last_Name="Quist", Lead_Source="Cold Call")
    page = SweepPage(connection=zoho_firm.name, since=None, page=1, priority=3, keep_creates=True)
    await zoho_firm.run(SweepActivities.sweep_parties, page)
    waiting = await zoho_firm.store.waiting.oldest(zoho_firm.name, "clients", 10)
    assert [each.record_id for each in waiting] == [str(met)]


def test_the_audit_log_says_how_a_value_was_made() -> None:
    """Whoever asks later where a value came from is told."""
    computed = {"compute": "firstName", "direction": "to-books", "transforms": [{"cut": {"length": 9}}]}
    rule = TEMPLATE.with_overrides({"organization": computed}).rules["organization"]
    assert in_words(rule) == "from firstName by cut; owner crm, to-books"
