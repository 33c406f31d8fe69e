"""A plan says what a sync of everything would do, and does nothing."""

from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.client_plans import PlanActivities
from activities.models import PlanClient
from activities.plan_listing import PartyListing
from activities.plan_models import FailedPlan, PlanName, StagePage
from activities.planning import plan_digest
from store.plans import NewItem
from tests.activities.plans import (
    counts,
    items_of,
    link,
    listed,
    only_item,
    planned,
    read_client,
    rules,
)
from tests.sandboxes import Firm

OFFICE = [{"type": "Work", "address": "office@acme.test"}]
KIEL = [{"type": "Office", "street": "Kai 1", "city": "Kiel", "zip": "24103", "country": "Germany"}]
IN_KIEL = {"p_city": "Kiel", "p_code": "24103"}


def vat(number: str) -> list[dict[str, Any]]:
    """Return the custom field that holds a party's tax number."""
    return [{"definition": {"id": 731}, "value": number}]


async def linked(firm: Firm, **party: Any) -> tuple[int, int]:
    """Enter a party and the client that says the same, tied together."""
    fields: dict[str, Any] = {"emailAddresses": OFFICE, **party}
    party_id = await firm.new_party(**fields)
    values = {field: value for field, value in (await firm.read_party(party_id)).values.items() if value is not None}
    client_id = await firm.new_client(**values)
    await link(firm, party_id, client_id)
    return party_id, client_id


async def test_a_party_without_a_counterpart_would_get_a_client(firm: Firm) -> None:
    """S2, Z24."""
    party_id = await firm.new_party(emailAddresses=OFFICE)
    item = await only_item(firm, await planned(firm))
    assert (item.action, item.side, item.party_id, item.client_id) == ("create", "books", party_id, None)
    assert {"field": "email", "before": None, "after": "office@acme.test"} in item.detail["writes"]
    assert firm.clients() == []


async def test_the_one_client_with_the_same_address_would_be_linked_and_completed(firm: Firm) -> None:
    """F5, Z35."""
    party_id = await firm.new_party(emailAddresses=OFFICE)
    client_id = await firm.new_client(email="Office@Acme.test", note="pays late")
    item = await only_item(firm, await planned(firm))
    assert (item.action, item.party_id, item.client_id) == ("link", party_id, client_id)
    assert "organization" in {each["field"] for each in item.detail["writes"]}


async def test_a_tax_number_alone_makes_the_same_customer(firm: Firm) -> None:
    """Z35."""
    await firm.new_party(emailAddresses=OFFICE, fields=vat("DE123456789"))
    client_id = await firm.new_client(organization="Quite another name", vat_number="DE123456789")
    item = await only_item(firm, await planned(firm))
    assert (item.action, item.client_id) == ("link", client_id)


async def test_linking_two_that_contradict_each_other_is_for_a_person(firm: Firm) -> None:
    """S55: nothing says which of the two tax numbers is the right spelling."""
    await firm.new_party(emailAddresses=OFFICE, fields=vat("DE 123456789"))
    client_id = await firm.new_client(organization="Acme Ltd", vat_number="DE123456789")
    item = await only_item(firm, await planned(firm))
    assert (item.action, item.client_id) == ("conflict", client_id)
    assert item.detail["conflicts"] == [{"field": "vat_number", "crm": "DE 123456789", "books": "DE123456789"}]


async def test_a_pair_in_step_is_counted_and_nothing_else(firm: Firm) -> None:
    await linked(firm)
    plan = await planned(firm)
    assert counts(plan) == {("in-step", "", ""): 1}
    assert await items_of(firm, plan) == []


async def test_what_changed_in_capsule_would_be_written_to_the_client(firm: Firm) -> None:
    """F39: the same plan shows what another mapping would change."""
    party_id, client_id = await linked(firm)
    await firm.change_party(party_id, name="Acme & Sons")
    item = await only_item(firm, await planned(firm))
    assert (item.action, item.side, item.client_id) == ("update", "books", client_id)
    assert item.detail["writes"] == [{"field": "organization", "before": "Acme Ltd", "after": "Acme & Sons"}]


async def test_what_changed_in_freshbooks_would_be_written_to_the_party(firm: Firm) -> None:
    firm.use_clients(direction="both")
    party_id, client_id = await linked(firm)
    await firm.change_client(client_id, organization="Acme & Sons")
    item = await only_item(firm, await planned(firm))
    assert (item.action, item.side, item.party_id) == ("update", "crm", party_id)
    assert item.detail["crm_writes"] == [{"field": "organization", "before": "Acme Ltd", "after": "Acme & Sons"}]


async def test_a_conflict_shows_what_both_sides_say(firm: Firm) -> None:
    """S55."""
    party_id, client_id = await linked(firm, fields=vat("DE111111111"))
    row = firm.party(party_id)["fields"][0]["id"]
    await firm.change_party(party_id, fields=[{"id": row, "definition": {"id": 731}, "value": "DE222222222"}])
    await firm.change_client(client_id, vat_number="DE333333333")
    item = await only_item(firm, await planned(firm))
    assert item.action == "conflict"
    assert item.detail["conflicts"] == [{"field": "vat_number", "crm": "DE222222222", "books": "DE333333333"}]


async def test_a_deleted_client_of_a_living_party_is_for_a_person(firm: Firm) -> None:
    """F18."""
    _, client_id = await linked(firm)
    await firm.change_client(client_id, vis_state=1)
    item = await only_item(firm, await planned(firm))
    assert (item.action, item.client_id) == ("conflict", client_id)
    assert "was deleted in FreshBooks" in item.detail["text"]


async def test_a_similar_name_at_the_same_place_is_for_a_person(firm: Firm) -> None:
    """F4, F22, Z80: neither is anything created nor linked."""
    party_id = await firm.new_party(name="Tischlerei Müller GmbH", addresses=KIEL)
    client_id = await firm.new_client(organization="Tischlerei Mueler", email="info@mueler.test", **IN_KIEL)
    doubt, left = await items_of(firm, await planned(firm))
    assert (doubt.action, doubt.party_id) == ("doubtful", party_id)
    (candidate,) = doubt.detail["candidates"]
    assert (candidate["id"], candidate["name"], candidate["place"]) == (client_id, "Tischlerei Mueler", "24103, Kiel")
    assert (left.action, left.reason, left.client_id, left.party_id) == ("skip", "undecided", client_id, party_id)


async def test_two_parties_with_one_address_are_both_for_a_person(firm: Firm) -> None:
    """F4: a pass would link the first that comes, and create a client for the other."""
    parties = [await firm.new_party(name=name, emailAddresses=OFFICE) for name in ("North", "South")]
    client_id = await firm.new_client(organization="West", email="office@acme.test")
    items = await items_of(firm, await planned(firm))
    doubts = [item for item in items if item.action == "doubtful"]
    assert [item.party_id for item in doubts] == parties
    assert all(item.detail["candidates"][0]["id"] == client_id for item in doubts)
    assert f"party {parties[1]} has the same claim" in doubts[0].detail["text"]


async def test_a_create_says_which_client_of_another_party_it_resembles(firm: Firm) -> None:
    """F22: two parties of one customer make two clients; whoever looks at the plan can see it."""
    party_id, client_id = await linked(firm, name="Acme Ltd", addresses=KIEL)
    await firm.new_party(name="ACME Limited", addresses=KIEL)
    item = await only_item(firm, await planned(firm))
    assert item.action == "create"
    assert item.detail["remark"].endswith(f"client {client_id}, which belongs to party {party_id}")


async def test_an_exact_key_settles_it_before_a_similar_name_is_a_doubt(firm: Firm) -> None:
    """F22: the one is linked; the other only resembles what is taken, and the plan says so."""
    exact = await firm.new_party(name="Somebody else", emailAddresses=OFFICE)
    similar = await firm.new_party(name="Acme Limited", addresses=KIEL)
    client_id = await firm.new_client(organization="Acme Ltd", email="office@acme.test", **IN_KIEL)
    items = {item.party_id: item for item in await items_of(firm, await planned(firm))}
    assert (items[exact].action, items[exact].client_id) == ("link", client_id)
    assert items[similar].action == "create"
    assert items[similar].detail["remark"].endswith(f"client {client_id}, which belongs to party {exact}")


async def test_a_create_says_that_such_a_client_was_deleted(firm: Firm) -> None:
    await firm.new_party(emailAddresses=OFFICE)
    client_id = await firm.new_client(email="office@acme.test")
    await firm.change_client(client_id, vis_state=1)
    create, left = await items_of(firm, await planned(firm))
    assert create.action == "create"
    assert create.detail["remark"].endswith(f"client {client_id}, which was deleted in FreshBooks")
    assert (left.action, left.reason, left.client_id) == ("skip", "deleted", client_id)


async def test_a_client_that_our_lost_request_made_is_recognised_by_its_reference(firm: Firm) -> None:
    """F1."""
    party_id = await firm.new_party(emailAddresses=OFFICE)
    reference = firm.store.intents.reference(firm.record_key(party_id))
    client_id = await firm.new_client(organization="Renamed since", note=f"[ledgerline {reference}]")
    item = await only_item(firm, await planned(firm))
    assert (item.action, item.party_id, item.client_id) == ("link", party_id, client_id)


async def test_a_party_that_the_mapping_cannot_turn_into_a_client_is_left_alone(firm: Firm) -> None:
    """F36: one bad record stops no other."""
    bad = await firm.new_party(name="Bad")
    firm.edit_party(bad, addresses=[{"id": 1, "type": "Office", "country": "Atlantis"}])
    good = await firm.new_party(name="Good")
    items = {item.party_id: item for item in await items_of(firm, await planned(firm))}
    assert (items[bad].action, items[bad].reason) == ("skip", "unmappable")
    assert "Atlantis" not in items[bad].detail["text"]
    assert items[good].action == "create"


async def test_a_client_that_only_the_books_know_would_get_a_party(firm: Firm) -> None:
    firm.use_clients(direction="both")
    client_id = await firm.new_client(organization="Acme Ltd", email="office@acme.test")
    item = await only_item(firm, await planned(firm))
    assert (item.action, item.side, item.party_id, item.client_id) == ("create", "crm", None, client_id)
    assert {"field": "email", "before": None, "after": "office@acme.test"} in item.detail["crm_writes"]


async def test_where_changes_go_one_way_no_party_is_made(firm: Firm) -> None:
    firm.use_clients(direction="to-books")
    await firm.new_client(organization="Acme Ltd", email="office@acme.test")
    plan = await planned(firm)
    assert counts(plan) == {("skip", "", "one-way"): 1}


async def test_an_archived_client_gets_no_party(firm: Firm) -> None:
    """F22: what the firm has put away is not brought back."""
    firm.use_clients(direction="both")
    client_id = await firm.new_client(organization="Acme Ltd")
    await firm.change_client(client_id, vis_state=2)
    assert counts(await planned(firm)) == {("skip", "", "archived"): 1}


async def test_a_client_whose_party_is_gone_is_left_alone(firm: Firm) -> None:
    party_id, client_id = await linked(firm)
    await firm.delete_party(party_id)
    item = await only_item(firm, await planned(firm))
    assert (item.action, item.reason, item.party_id, item.client_id) == ("skip", "party-gone", party_id, client_id)


async def test_every_page_is_listed_once_and_nothing_is_written(firm: Firm) -> None:
    """S60, S61."""
    for number in range(101):
        await firm.new_party(name=f"Customer {number}")
    await firm.new_client(organization="Customer 7")
    written = firm.calls("POST"), firm.calls("PUT")
    before = firm.calls("GET", "/parties"), firm.calls("GET", "/users/clients")
    plan = await planned(firm)
    after = firm.calls("GET", "/parties"), firm.calls("GET", "/users/clients")
    assert (after[0] - before[0], after[1] - before[1]) == (2, 2)  # the second list of clients is that of deleted ones
    assert (firm.calls("POST"), firm.calls("PUT")) == written
    assert plan.summary["listed"] == {"parties": 101, "clients": 1}


async def test_the_forecast_follows_the_quota_of_each_account(firm: Firm) -> None:
    """S60: a firm sees beforehand how long it takes. The quotas here: one request a second, and two."""
    for number in range(10):
        await firm.new_party(name=f"Customer {number}")
    plan = await planned(firm)
    assert plan.summary["calls"] == {"capsule": 10, "freshbooks": 30}
    assert plan.summary["seconds"] == {"capsule": 10, "freshbooks": 15}
    assert plan.creates == 10


async def test_the_plan_expects_exactly_what_a_pass_would_do(firm: Firm) -> None:
    """S2: the digest of the item is that of the pass's own plan, made from records read one by one."""
    party_id, client_id = await linked(firm)
    await firm.change_party(party_id, name="Acme & Sons")
    item = await only_item(firm, await planned(firm))
    asked = PlanClient(
        key=firm.key(party_id), party=await firm.read_party(party_id), client=await read_client(firm, client_id)
    )
    passed = await ActivityEnvironment().run(firm.passes.plan_client, asked)
    assert item.digest == plan_digest(passed.plan, firm.store.keys.fingerprint)


async def test_making_a_plan_again_after_a_crash_makes_the_same_plan(firm: Firm) -> None:
    await firm.new_party(name="Acme Ltd")
    name = await listed(firm, "plan-1")
    plans = PlanActivities(firm.store, rules(firm))
    leftover = NewItem("skip", reason="deleted")
    await firm.store.plans.add([firm.store.plans.row("plan-1", 1, leftover)])
    await ActivityEnvironment().run(plans.make_plan, name)
    await ActivityEnvironment().run(plans.make_plan, name)
    assert await firm.store.plans.counts("plan-1") == {("create", "planned"): 1}


async def test_what_was_listed_is_forgotten_once_the_plan_is_made(firm: Firm) -> None:
    """Z133."""
    await firm.new_party(name="Acme Ltd")
    plan = await planned(firm)
    assert await firm.store.plans.staging.count(plan.id) == {}


async def test_a_plan_that_expires_keeps_its_numbers_and_nobodys_data(firm: Firm) -> None:
    """Z133."""
    await firm.new_party(name="Acme Ltd")
    plan = await planned(firm)
    forget = PlanActivities(firm.store, rules(firm)).forget_plan
    assert await ActivityEnvironment().run(forget, PlanName(plan_id=plan.id, connection=firm.name))
    left = await firm.store.plans.find(plan.id)
    assert left is not None
    assert (left.state, left.creates) == ("forgotten", 1)
    assert await items_of(firm, plan) == []


async def test_a_plan_is_not_forgotten_while_it_is_applied(firm: Firm) -> None:
    plan = await planned(firm)
    await firm.store.plans.move(plan.id, "applying", ("ready",))
    forget = PlanActivities(firm.store, rules(firm)).forget_plan
    assert not await ActivityEnvironment().run(forget, PlanName(plan_id=plan.id, connection=firm.name))


async def test_a_plan_that_fails_says_why_and_keeps_nothing(firm: Firm) -> None:
    await firm.new_party(name="Acme Ltd")
    name = await listed(firm, "plan-1")
    fail = PlanActivities(firm.store, rules(firm)).fail_plan
    await ActivityEnvironment().run(fail, FailedPlan(plan=name, text="Capsule refused to list parties"))
    plan = await firm.store.plans.find("plan-1")
    assert plan is not None
    assert (plan.state, plan.summary) == ("failed", {"problem": "Capsule refused to list parties"})
    assert await firm.store.plans.staging.count("plan-1") == {}


async def test_a_page_that_is_listed_again_counts_once(firm: Firm) -> None:
    await firm.new_party(name="Acme Ltd")
    name = await listed(firm, "plan-1")
    await firm.run(PartyListing.stage_parties, StagePage(plan=name, page=1))
    assert await firm.store.plans.staging.count("plan-1") == {"crm": 1}
