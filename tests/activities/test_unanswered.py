"""What the alert watch makes of syncs that wait for books which no sweep reads: with a real Temporal server."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.lookout import Lookout, WatchedAccount
from store.alerts import Incident
from store.store import Store
from tests.workflows.office import until
from workflows.search_attributes import CONNECTION, SYNC_STATE, SYNCING

NUMBERS = itertools.count(1)
SOON = RetryPolicy(initial_interval=timedelta(milliseconds=50), maximum_interval=timedelta(milliseconds=50))
PATIENCE = timedelta(milliseconds=600)
TOLD = timedelta(days=1)


@workflow.defn(name="WaitsForBooks", sandboxed=False)
class WaitsForBooks:
    @workflow.run
    async def run(self, queue: str) -> None:
        """Make one call, over and over until it succeeds."""
        await workflow.execute_activity(
            "call",
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=5),
            schedule_to_close_timeout=timedelta(days=90),
            retry_policy=SOON,
        )


class Books:
    """Books that fail in one way, until they do not."""

    def __init__(self, failure: str) -> None:
        self.failure = failure

    @activity.defn(name="call")
    async def call(self) -> None:
        """Answer, or not."""
        if self.failure:
            raise ApplicationError("no answer", type=self.failure)


@asynccontextmanager
async def waiting(temporal: Client, name: str, books: Books) -> AsyncIterator[None]:
    """Let one sync wait for the books of a connection."""
    queue = f"freshbooks@{name}"
    attributes = [SearchAttributePair(CONNECTION, name), SearchAttributePair(SYNC_STATE, SYNCING)]
    async with Worker(
        temporal,
        task_queue=queue,
        workflows=[WaitsForBooks],
        activities=[books.call],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handle = await temporal.start_workflow(
            WaitsForBooks.run,
            queue,
            id=f"waits/{name}",
            task_queue=queue,
            search_attributes=TypedSearchAttributes(attributes),
        )
        yield
        books.failure = ""
        await handle.result()


async def look(store: Store, temporal: Client, name: str) -> list[Incident]:
    account = WatchedAccount(name, "freshbooks", PATIENCE)
    lookout = Lookout(store, temporal, [], [], timedelta(minutes=10), unswept=[account])
    return await lookout.incidents(datetime.now(UTC) - TOLD)


@pytest.mark.timeout(60)
async def test_books_that_are_only_written_to_and_do_not_answer_are_an_incident_until_the_last_sync_is_done(
    sqlite_store: Store, temporal: Client
) -> None:
    """S48: no sweep reads them, so no sweep is silent."""
    name, books = f"unanswered-{next(NUMBERS)}", Books("Unavailable")
    async with waiting(temporal, name, books):

        async def told() -> bool:
            return any(each.is_news for each in await look(sqlite_store, temporal, name))

        await until(told)
        (incident,) = await look(sqlite_store, temporal, name)
        assert (incident.key, incident.reason) == (f"outage/{name}/freshbooks", "outage")
        assert PATIENCE <= datetime.now(UTC) - incident.since < timedelta(seconds=30)

    async def over() -> bool:
        return not await look(sqlite_store, temporal, name)

    await until(over)


@pytest.mark.timeout(60)
async def test_books_that_are_busy_are_no_outage(sqlite_store: Store, temporal: Client) -> None:
    """S29: a quota that is used up is waited for, and nobody has to do anything."""
    name = f"unanswered-{next(NUMBERS)}"
    async with waiting(temporal, name, Books("RateLimited")):

        async def waited() -> bool:
            return bool(await look(sqlite_store, temporal, name))

        await until(waited)
        assert [each.is_news for each in await look(sqlite_store, temporal, name)] == [False]
