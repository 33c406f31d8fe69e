"""Plans made without Temporal: both sides listed page by page, then compared."""

from datetime import UTC, datetime, timedelta

from temporalio.testing import ActivityEnvironment

from activities.client_plans import PlanActivities, PlanRules
from activities.clients import ClientActivities
from activities.models import ClientKey, ClientSide
from activities.plan_listing import ClientListing, PartyListing
from activities.plan_models import NewPlan, PlanName, StagePage
from mapping.engine import Template
from runtime.quota import Allowance
from store.links import Agreement
from store.plans import Plan, PlanItem
from store.quotas import AccountQuota
from tests.sandboxes import Firm
from worker.accounts import clients_template

DELETED = 1
MOST = 10_000


def template_of(firm: Firm) -> Template:
    """Return the firm's mapping."""
    return clients_template(firm.name, firm.connection)


def rules(firm: Firm, bulk_limit: int = 200) -> dict[str, PlanRules]:
    """Return how the firm's plans are made: one request a second to Capsule, two to FreshBooks."""
    return {firm.name: PlanRules(template_of(firm), _quotas(firm), bulk_limit)}


def _quotas(firm: Firm) -> dict[str, AccountQuota]:
    per_second = {"capsule": 1, "freshbooks": 2}
    return {
        system: firm.store.quotas.of(firm.name, system, Allowance(count * 3600, timedelta(hours=1)))
        for system, count in per_second.items()
    }


async def listed(firm: Firm, plan_id: str) -> PlanName:
    """Begin a plan and list both sides for it."""
    name = PlanName(plan_id=plan_id, connection=firm.name)
    plans = PlanActivities(firm.store, rules(firm))
    new = NewPlan(plan=name, expires_at=datetime.now(UTC) + timedelta(days=7))
    await ActivityEnvironment().run(plans.begin_plan, new)
    await _list(firm, name)
    return name


async def _list(firm: Firm, name: PlanName) -> None:
    for activity, vis_state in (
        (PartyListing.stage_parties, None),
        (ClientListing.stage_clients, None),
        (ClientListing.stage_clients, DELETED),
    ):
        page, has_more = 1, True
        while has_more:
            done = await firm.run(activity, StagePage(plan=name, page=page, vis_state=vis_state))
            page, has_more = page + 1, done.has_more


async def planned(firm: Firm, plan_id: str = "plan-1") -> Plan:
    """Make a plan of everything that the firm has."""
    name = await listed(firm, plan_id)
    await ActivityEnvironment().run(PlanActivities(firm.store, rules(firm)).make_plan, name)
    plan = await firm.store.plans.find(plan_id)
    assert plan is not None
    return plan


async def items_of(firm: Firm, plan: Plan) -> list[PlanItem]:
    """Return all items of a plan."""
    return list(await firm.store.plans.items(plan.id, None, 0, MOST))


async def only_item(firm: Firm, plan: Plan) -> PlanItem:
    """Return the one item that a plan has."""
    (item,) = await items_of(firm, plan)
    return item


def counts(plan: Plan) -> dict[tuple[str, str, str], int]:
    """Return how many pairs there are of each action, side and reason."""
    return {(each["action"], each["side"], each["reason"]): each["count"] for each in plan.summary["counts"]}


async def link(firm: Firm, party_id: int, client_id: int) -> None:
    """Tie a party and a client together, as if a pass had just brought them in step as they are."""
    party, client = await firm.read_party(party_id), await read_client(firm, client_id)
    agreed = Agreement(
        books_id=str(client_id),
        base={**client.values, **party.values},
        crm_seen=party.fingerprint,
        books_seen=client.fingerprint,
        mapping_version=template_of(firm).version,
    )
    await firm.store.links.confirm(firm.record_key(party_id), agreed)


async def read_client(firm: Firm, client_id: int) -> ClientSide:
    """Return what the activity says of a client."""
    return await firm.run(ClientActivities.read_client, ClientKey(connection=firm.name, client_id=client_id))
