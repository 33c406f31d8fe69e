"""Sweeps of the books: what differs is announced once, and what is as it was seen is not."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from activities.client_sweeps import ClientSweepActivities, first_day
from activities.watch_models import ClientPage, SweptClients
from store.news import Told
from store.tables import LinkRow
from tests.activities.steps import created
from tests.sandboxes import AnnouncedClient, Firm

LATELY = datetime.now(UTC) - timedelta(minutes=10)


async def swept(firm: Firm, since: datetime | None = LATELY, *, deleted: bool = False, page: int = 1) -> SweptClients:
    asked = ClientPage(
        connection=firm.name, since=since, deleted=deleted, page=page, priority=3, began=datetime.now(UTC)
    )
    return await firm.run(ClientSweepActivities.sweep_clients, asked)


def announced(firm: Firm) -> list[int]:
    return sorted(int(each.client_id) for each in firm.announced_clients)


async def found_by_sweeps(firm: Firm) -> int:
    return sum(each.by_sweep for each in await firm.store.news.counts(date(2026, 1, 1)))


async def test_a_client_that_nobody_linked_is_announced(firm: Firm) -> None:
    """Z124: a bookkeeper entered it."""
    client_id = await firm.new_client(organization="Acme Ltd")
    assert (await swept(firm)).announced == 1
    assert firm.announced_clients == [AnnouncedClient(str(client_id), "sweep", 3)]


async def test_a_client_in_step_is_not_announced_however_often_it_is_listed(firm: Firm) -> None:
    """Z140: the list of a whole day costs requests and nothing else."""
    await created(firm, name="Acme Ltd")
    assert [(await swept(firm)).announced for _ in range(3)] == [0, 0, 0]


async def test_only_the_client_that_a_bookkeeper_changed_is_announced(firm: Firm) -> None:
    """Z30"""
    _, changed = await created(firm, name="Acme Ltd")
    await created(firm, name="Borg AB")
    await firm.change_client(changed, organization="Acme & Sons")
    assert (await swept(firm)).listed == 2
    assert announced(firm) == [changed]


async def test_a_change_is_announced_once_although_it_is_listed_all_day(firm: Firm) -> None:
    """S29: what is held, or was skipped, differs in every list, and nobody is asked about it every five minutes."""
    client_id = await firm.new_client(organization="Acme Ltd")
    assert [(await swept(firm)).announced for _ in range(3)] == [1, 0, 0]
    await firm.change_client(client_id, organization="Acme & Sons")
    assert (await swept(firm)).announced == 1


async def test_another_mapping_makes_every_client_news_again(firm: Firm) -> None:
    """F39"""
    await created(firm, name="Acme Ltd")
    clients = firm.connection.clients.model_copy(update={"mapping": {"fax": None}})
    connection = firm.connection.model_copy(update={"clients": clients})
    firm.settings = firm.settings.model_copy(update={"connections": {firm.name: connection}})
    firm.__post_init__()
    assert (await swept(firm)).announced == 1


async def test_archived_clients_are_listed_like_all_others(firm: Firm) -> None:
    """F18"""
    client_id = await firm.new_client(organization="Acme Ltd")
    await firm.change_client(client_id, vis_state=2)
    await swept(firm)
    assert announced(firm) == [client_id]


async def test_a_linked_client_that_was_deleted_is_announced(firm: Firm) -> None:
    """F16, F18: FreshBooks leaves it out of its other lists."""
    _, client_id = await created(firm, name="Acme Ltd")
    await firm.change_client(client_id, vis_state=1)
    assert (await swept(firm)).listed == 0
    page = await swept(firm, deleted=True)
    assert (page.listed, page.announced, page.deleted_lately) == (1, 1, [client_id])
    assert firm.announced_clients == [AnnouncedClient(str(client_id), "sweep: deleted", 3)]


async def test_a_deleted_client_that_belonged_to_nobody_is_nobodys_business(firm: Firm) -> None:
    client_id = await firm.new_client(organization="Acme Ltd")
    await firm.change_client(client_id, vis_state=1)
    assert (await swept(firm, deleted=True)).announced == 0


async def test_a_deletion_that_is_known_is_not_announced_again(firm: Firm) -> None:
    """F19"""
    party_id, client_id = await created(firm, name="Acme Ltd")
    await firm.change_client(client_id, vis_state=1)
    await set_link_state(firm, party_id, "orphaned")
    assert (await swept(firm, deleted=True)).announced == 0


async def test_a_client_that_was_brought_back_is_announced(firm: Firm) -> None:
    """F18: its values are as they were, and yet it is news."""
    party_id, client_id = await created(firm, name="Acme Ltd")
    await set_link_state(firm, party_id, "orphaned")
    await swept(firm)
    assert announced(firm) == [client_id]


async def test_a_deletion_of_yesterday_does_not_count_as_one_of_now(firm: Firm) -> None:
    _, client_id = await created(firm, name="Acme Ltd")
    await firm.change_client(client_id, vis_state=1)
    record = {**firm.client(client_id), "updated": "2026-01-05 09:00:00"}
    firm.sandbox.freshbooks_service.records.commit("update", "client", client_id, record)
    assert (await swept(firm, None, deleted=True)).deleted_lately == []


async def test_the_first_sweep_announces_everybody_and_says_nothing_of_webhooks(firm: Firm) -> None:
    await firm.new_client(organization="Acme Ltd")
    assert [(await swept(firm, None)).announced for _ in range(2)] == [1, 1]
    assert firm.announced_clients == []  # not before all of them have been counted
    assert await firm.store.waiting.count(firm.name, "clients") == 1
    assert await found_by_sweeps(firm) == 0


async def test_a_change_that_no_webhook_told_of_is_counted_as_the_sweeps(firm: Firm) -> None:
    """F13"""
    told, silent = await firm.new_client(organization="Acme Ltd"), await firm.new_client(organization="Borg AB")
    await firm.store.news.told([Told(firm.name, "freshbooks", str(told), datetime.now(UTC))])
    await swept(firm)
    assert announced(firm) == [told, silent]
    assert await found_by_sweeps(firm) == 1


async def test_a_hundred_and_one_clients_are_two_pages(firm: Firm) -> None:
    """S62"""
    for number in range(101):
        await firm.new_client(organization=f"Customer {number}")
    first, second = await swept(firm), await swept(firm, page=2)
    assert (first.listed, first.has_more, second.listed, second.has_more) == (100, True, 1, False)
    assert len(set(announced(firm))) == 101


@pytest.mark.parametrize(
    ("since", "listed_from"),
    [
        (datetime(2026, 3, 2, 12, 0, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 3, 2, 3, 0, tzinfo=UTC), date(2026, 2, 28)),
        (datetime(2026, 3, 9, 3, 30, tzinfo=UTC), date(2026, 3, 7)),
        (datetime(2026, 11, 2, 4, 30, tzinfo=UTC), date(2026, 10, 31)),
    ],
    ids=["noon", "still yesterday in the east", "after the clocks went forward", "after they went back"],
)
def test_the_eastern_day_before_is_listed_again(since: datetime, listed_from: date) -> None:
    """F32: FreshBooks filters by days of the US Eastern calendar."""
    assert first_day(since) == listed_from


def test_a_first_sweep_lists_from_the_beginning() -> None:
    assert first_day(None) is None


async def set_link_state(firm: Firm, party_id: int, state: str) -> None:
    """Let the link stand as it would after one of its records was deleted."""
    change = update(LinkRow).where(LinkRow.connection == firm.name, LinkRow.crm_id == str(party_id))
    async with firm.store.database.writing() as session:
        await session.execute(change.values(state=state))
