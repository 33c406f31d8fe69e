"""An employer's new name concerns its people: their clients name the firm."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.models import PartyKey, PartySide
    from activities.sweep_models import PeoplePage
    from activities.sweeps import SweepActivities
    from mapping.plan import ClientPlan
    from workflows.options import api_call

FIRM = "organization"


def is_renamed(party: PartySide, plan: ClientPlan) -> bool:
    """Return whether this plan gives an organisation's client another name."""
    return party.is_organisation and plan.action == "update" and any(each.field == FIRM for each in plan.writes)


async def announce_people(organisation: PartyKey, crm: str, rank: int) -> None:
    """Announce the people of a renamed organisation. They read the new name from the CRM, whenever their turn comes."""
    page, has_more = 1, True
    while has_more:
        listed = await workflow.execute_activity_method(
            SweepActivities.announce_people,
            PeoplePage(organisation=organisation, page=page, priority=rank),
            **api_call(crm, organisation.connection, rank, f"people of party {organisation.party_id}, page {page}"),
        )
        page, has_more = page + 1, listed.has_more
