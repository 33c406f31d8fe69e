"""The steps of a pass, made one by one, as its workflow makes them."""

from temporalio.testing import ActivityEnvironment

from activities.clients import ClientActivities
from activities.models import ClientKey, ClientSide, PlanClient, Standing, WriteClient
from tests.sandboxes import Firm


async def standing(firm: Firm, party_id: int) -> Standing:
    """Begin a pass."""
    return await ActivityEnvironment().run(firm.passes.begin_pass, firm.key(party_id))


async def planned(firm: Firm, party_id: int, *candidates: ClientSide) -> WriteClient:
    """Return the write that a pass over a party plans, given the clients that it found."""
    began, party = await standing(firm, party_id), await firm.read_party(party_id)
    client = await read_client(firm, began.client_id) if began.client_id else None
    asked = PlanClient(
        key=firm.key(party_id), party=party, client=client, candidates=list(candidates), create=began.create
    )
    plan = await ActivityEnvironment().run(firm.passes.plan_client, asked)
    return WriteClient(
        key=asked.key,
        client_id=plan.plan.client_id,
        writes=plan.plan.writes,
        next_base=plan.next_base,
        party_fingerprint=party.fingerprint,
        client_fingerprint=plan.client.fingerprint if plan.client else "",
        mapping_version=plan.plan.mapping_version,
        cause="a test",
        adopted=plan.plan.action == "link",
        create=plan.create,
    )


async def read_client(firm: Firm, client_id: int) -> ClientSide:
    """Return what the activity says of a client."""
    return await firm.run(ClientActivities.read_client, ClientKey(connection=firm.name, client_id=client_id))


async def create(firm: Firm, write: WriteClient) -> int:
    """Carry out a create and return the client's id."""
    return (await firm.run(ClientActivities.create_client, write)).client_id


async def update(firm: Firm, write: WriteClient) -> int:
    """Carry out an update and return the client's id."""
    return (await firm.run(ClientActivities.update_client, write)).client_id


async def created(firm: Firm, **fields: object) -> tuple[int, int]:
    """Enter a party, create its client, and return both ids."""
    party_id = await firm.new_party(**fields)
    return party_id, await create(firm, await planned(firm, party_id))
