"""What a comparison of both sides finds is what a sync would do, named; and nothing else."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from temporalio.testing import ActivityEnvironment

from activities.lookout import UNTOLD
from activities.reconciliation_listing import ReconciledClients, ReconciledParties
from activities.reconciliation_models import CompareSides, LookAgain
from store.news import Difference
from store.reconciliation_models import Drift
from store.records import RecordKey
from store.tables import CursorRow
from tests.activities.plans import link
from tests.activities.reconciliations import begun, compared, listed, mismatches, reconciled, steps
from tests.sandboxes import Firm


def _mail(address: str) -> list[dict[str, str]]:
    return [{"type": "Work", "address": address}]


async def _pair(firm: Firm, name: str) -> tuple[int, int]:
    """Return a party and a client that are linked and in step."""
    address = f"office@{name.lower()}.test"
    party_id = await firm.new_party(name=name, emailAddresses=_mail(address))
    client_id = await firm.new_client(organization=name, email=address, currency_code="EUR", language="en")
    await link(firm, party_id, client_id)
    return party_id, client_id


async def _a_second_later() -> None:
    """Systems write whole seconds: what changed in the second in which a report begins may have changed after."""
    await asyncio.sleep(1.05)


@pytest.fixture
async def north(firm: Firm) -> tuple[int, int]:
    return await _pair(firm, "North")


async def test_two_sides_in_step_have_no_mismatches(firm: Firm, north: tuple[int, int]) -> None:
    """S30."""
    del north
    head = await reconciled(firm)

    assert head.state == "done"
    assert head.counts == {}
    assert head.in_step == 1
    assert head.is_complete
    assert [(each.side, each.records, each.pages) for each in head.sides] == [("crm", 1, 1), ("books", 1, 2)]


async def test_each_planted_difference_is_found_once_and_named(firm: Firm, north: tuple[int, int]) -> None:
    """S31, S33."""
    south, south_client = await _pair(firm, "South")
    west, west_client = await _pair(firm, "West")
    _, east_client = await _pair(firm, "East")
    alone = await firm.new_party(name="Alone", emailAddresses=_mail("office@alone.test"))
    twins = [await firm.new_client(organization="Twin", email="twin@twin.test", currency_code="EUR") for _ in range(2)]
    await firm.change_party(south, phoneNumbers=[{"type": "Work", "number": "+44 20 7946 0000"}])
    await firm.change_client(west_client, vis_state=1)
    await firm.delete_party(int((await firm.store.links.crm_id_of(firm.name, "clients", str(east_client))) or 0))
    await _a_second_later()

    head = await reconciled(firm)

    found = {each.kind: each for each in await mismatches(firm, head)}
    assert head.counts == {"missing-right": 1, "field-drift": 1, "orphaned-link": 2, "duplicate": 1}
    assert head.causes == {"unknown": 5}
    assert head.in_step == 1
    assert found["missing-right"].crm_ids == (str(alone),)
    assert found["field-drift"].drifts == (Drift("bus_phone", "+44 20 7946 0000", None),)
    assert (found["field-drift"].crm_ids, found["field-drift"].books_ids) == ((str(south),), (str(south_client),))
    assert found["duplicate"].books_ids == tuple(map(str, sorted(twins)))
    orphans = [each for each in await mismatches(firm, head) if each.kind == "orphaned-link"]
    assert {each.books_ids for each in orphans} == {(str(west_client),), (str(east_client),)}
    assert str(west) in orphans[0].crm_ids + orphans[1].crm_ids


async def test_a_client_without_a_party_is_missing_in_the_crm_only_where_changes_go_both_ways(
    two_way_firm: Firm, firm: Firm
) -> None:
    for each in (two_way_firm, firm):
        await each.new_client(organization="Lonely", email="office@lonely.test")
    await _a_second_later()

    assert (await reconciled(two_way_firm, "two-way")).counts == {"missing-left": 1}
    assert (await reconciled(firm, "one-way")).counts == {}


async def test_people_who_share_their_firms_address_are_no_duplicates(firm: Firm) -> None:
    for first in ("Anna", "Boris"):
        await firm.new_client(fname=first, lname="Kovač", organization="Acme", email="office@acme.test")
    await _a_second_later()

    assert (await reconciled(firm)).counts == {}


async def test_a_link_of_which_both_records_are_gone_is_found(firm: Firm, north: tuple[int, int]) -> None:
    party_id, client_id = north
    report = await begun(firm)
    await listed(firm, report)
    await firm.store.reconciliations.unstage(report.report_id, "crm", [str(party_id)])
    await firm.store.reconciliations.unstage(report.report_id, "books", [str(client_id)])

    head = await compared(firm, report)

    assert head.counts == {"orphaned-link": 1}


async def test_what_waits_for_a_person_is_explained_by_its_hold_and_told_to_nobody_again(firm: Firm) -> None:
    alone = await firm.new_party(name="Alone", emailAddresses=_mail("office@alone.test"))
    await firm.store.holds.open("client-upsert/x", RecordKey(firm.name, "clients", str(alone)), "approval", {})
    await _a_second_later()

    head = await reconciled(firm)

    (found,) = await mismatches(firm, head)
    assert (found.kind, found.cause, found.repair) == ("missing-right", "held", "person")
    assert head.new_mismatches == 0
    assert [alert.reason for alert, _ in await firm.store.alerts.listed()] == ["approval"]


async def test_what_changed_while_the_lists_were_read_is_looked_at_again_and_not_invented(
    firm: Firm, north: tuple[int, int]
) -> None:
    """F15: a sync that runs between both lists is no difference."""
    party_id, client_id = north
    report = await begun(firm)
    await listed(firm, report)
    await firm.change_party(party_id, name="Norther")
    await firm.change_client(client_id, organization="Norther")
    await link(firm, party_id, client_id)
    await firm.run(ReconciledClients.look_at_client_again, LookAgain(report=report, record_id=client_id))

    first = await ActivityEnvironment().run(steps(firm).compare_sides, CompareSides(report=report))
    await firm.run(ReconciledParties.look_at_party_again, LookAgain(report=report, record_id=party_id))
    second = await compared(firm, report)

    assert (first.parties, first.clients, first.is_finished) == ([party_id], [client_id], False)
    assert (second.counts, second.in_step) == ({}, 1)


async def test_what_changed_a_moment_ago_is_named_so_and_nobody_is_alarmed(firm: Firm, north: tuple[int, int]) -> None:
    report = await begun(firm)
    await firm.change_party(north[0], name="Norther")
    await listed(firm, report)

    head = await compared(firm, report)

    (found,) = await mismatches(firm, head)
    assert (found.kind, found.cause, found.repair) == ("field-drift", "edited-after", "none")
    assert head.new_mismatches == 0
    assert await firm.store.alerts.listed() == []


async def test_the_same_differences_are_new_only_once_and_hash_alike(firm: Firm) -> None:
    """S32."""
    await firm.new_party(name="Alone", emailAddresses=_mail("office@alone.test"))
    await _a_second_later()

    first, second = await reconciled(firm, "report-1"), await reconciled(firm, "report-2")

    assert (first.new_mismatches, second.new_mismatches) == (1, 0)
    assert first.content_hash == second.content_hash
    await firm.new_party(name="Another", emailAddresses=_mail("office@another.test"))
    await _a_second_later()
    assert (await reconciled(firm, "report-3")).content_hash != first.content_hash


async def test_one_record_that_cannot_be_mapped_does_not_keep_the_others_from_being_compared(firm: Firm) -> None:
    """F36."""
    await firm.new_party(name="Alone", emailAddresses=_mail("office@alone.test"))
    bad = await firm.new_party(name="Bad", emailAddresses=_mail("no address"))
    await _a_second_later()

    found = await mismatches(firm, await reconciled(firm))

    assert [each.kind for each in found] == ["missing-right"] * 2
    assert (str(bad),) in {each.crm_ids for each in found}


async def test_a_stream_that_no_sweep_has_read_for_two_turns_is_a_gap(firm: Firm) -> None:
    """S33, F35."""
    await firm.store.cursors.advance(firm.name, "capsule.parties", datetime.now(UTC))
    assert (await reconciled(firm, "fresh")).counts == {}
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    async with firm.store.database.writing() as session:
        await session.execute(update(CursorRow).values(updated_at=long_ago))

    head = await reconciled(firm, "stale")

    (found,) = await mismatches(firm, head)
    assert (found.kind, found.name) == ("cursor-gap", "capsule.parties")
    assert head.new_mismatches == 1


async def test_a_system_that_tells_of_nothing_while_sweeps_find_changes_is_named(firm: Firm) -> None:
    """S33, F35."""
    news = [Difference(str(number), f"state {number}", None) for number in range(UNTOLD)]
    await firm.store.news.swept(firm.name, "capsule", news)

    (found,) = await mismatches(firm, await reconciled(firm))

    assert (found.kind, found.name, found.repair) == ("stale-hook", "capsule", "none")
