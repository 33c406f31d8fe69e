"""A firm's workers on a real Temporal server, and what tests tell and ask them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError
from temporalio.worker import Worker

from runtime.queues import WORKFLOW_QUEUE
from starters.announce import Announcer, client_upsert_id, party_from_client_id
from store.holds import OpenHold
from tests.sandboxes import Firm
from worker.accounts import AccountQueue
from worker.main import account_worker, workflow_worker
from workflows.clients import ClientUpsert
from workflows.models import ClientUpsertRequest, ClientUpsertResult, PartyFromClientResult, Resolution
from workflows.parties import PartyFromClient

StandIns = Mapping[str, Callable[..., Any]]
"""Activities that take the place of real ones, by name."""

PATIENCE = 20.0
WEBHOOK = 2


class Office:
    """Temporal, the workers of one firm, and the people who decide holds."""

    def __init__(self, temporal: Client, firm: Firm) -> None:
        self.temporal, self.firm = temporal, firm
        self.announcer = Announcer(temporal, firm.store, firm.settings.crms, firm.settings.with_projects)
        self._begun: set[str] = set()

    async def announce(self, party_id: int, cause: str = "capsule webhook party/updated", rank: int = WEBHOOK) -> None:
        """Tell the party's workflow that the party may have changed."""
        self.expect(party_id)
        await self.announcer.party_changed(self.firm.name, party_id, cause, rank)

    async def begin(self, request: ClientUpsertRequest) -> None:
        """Start a party's workflow without a signal."""
        workflow_id = client_upsert_id(self.firm.name, request.party_id, self.firm.connection.crm)
        self._begun.add(workflow_id)
        await self.temporal.start_workflow(ClientUpsert.run, request, id=workflow_id, task_queue=WORKFLOW_QUEUE)

    def expect(self, party_id: int) -> None:
        """Remember that somebody else starts a party's workflow, so that it is ended with the test."""
        self._begun.add(client_upsert_id(self.firm.name, party_id, self.firm.connection.crm))

    def workflow(self, party_id: int) -> "WorkflowHandle[ClientUpsert, ClientUpsertResult]":
        """Return the latest run of a party's workflow."""
        workflow_id = client_upsert_id(self.firm.name, party_id, self.firm.connection.crm)
        return self.temporal.get_workflow_handle(workflow_id, result_type=ClientUpsertResult)

    async def result(self, party_id: int) -> ClientUpsertResult:
        """Wait until nothing is pending, and return how it ended."""
        return await asyncio.wait_for(self.workflow(party_id).result(), PATIENCE)

    async def client_changed(self, client_id: int, cause: str = "freshbooks webhook client.update") -> None:
        """Tell whoever sees to a client that it may have changed."""
        self._begun.add(party_from_client_id(self.firm.name, client_id))
        await self.announcer.client_changed(self.firm.name, str(client_id), cause, WEBHOOK)

    def client_workflow(self, client_id: int) -> "WorkflowHandle[PartyFromClient, PartyFromClientResult]":
        """Return the latest run of the workflow of a client without a party."""
        workflow_id = party_from_client_id(self.firm.name, client_id)
        return self.temporal.get_workflow_handle(workflow_id, result_type=PartyFromClientResult)

    async def client_result(self, client_id: int) -> PartyFromClientResult:
        """Wait until nothing is pending for a client without a party, and for its party, and return how it ended."""
        result = await asyncio.wait_for(self.client_workflow(client_id).result(), PATIENCE)
        if result.party_id is not None:
            self.expect(result.party_id)
            await self.result(result.party_id)
        return result

    async def hold_of_client(self, client_id: int) -> OpenHold:
        """Return the hold of a client without a party, once it waits for a person."""

        async def listed() -> OpenHold | None:
            holds = await self.firm.store.holds.listed()
            return next((each for each in holds if (each.side, each.record_id) == ("books", str(client_id))), None)

        hold: OpenHold = await until(listed)
        return hold

    async def hold_listed(self, record_id: str) -> OpenHold:
        """Return the hold that is listed under this name, once there is one."""

        async def listed() -> OpenHold | None:
            return next((each for each in await self.firm.store.holds.listed() if each.record_id == record_id), None)

        hold: OpenHold = await until(listed)
        return hold

    async def sync(self, party_id: int) -> ClientUpsertResult:
        """Announce a party and wait for the end."""
        await self.announce(party_id)
        return await self.result(party_id)

    async def hold(self, party_id: int) -> OpenHold:
        """Return the party's hold, once it waits for a person."""
        return await self.held_anew(party_id, datetime.min.replace(tzinfo=UTC))

    async def held_anew(self, party_id: int, before: datetime) -> OpenHold:
        """Return the party's hold, once there is one that was opened after an earlier one."""

        async def listed() -> OpenHold | None:
            holds = await self.firm.store.holds.listed()
            return next((each for each in holds if each.record_id == str(party_id) and each.opened_at > before), None)

        hold: OpenHold = await until(listed)
        return hold

    async def called(self, method: str, path_end: str, times: int) -> None:
        """Wait until so many such requests have come."""

        async def counted() -> bool:
            return self.firm.calls(method, path_end) >= times

        await until(counted)

    async def resolve(self, party_id: int, resolution: Resolution) -> str:
        """Decide a hold, as a person does."""
        answer: str = await self.workflow(party_id).execute_update("resolve", resolution, result_type=str)
        return answer

    async def shows(self, party_id: int, key: SearchAttributeKey[str]) -> str | None:
        """Return what operators see of a search attribute."""
        return (await self.workflow(party_id).describe()).typed_search_attributes.get(key)

    async def state(self, party_id: int, key: SearchAttributeKey[str], value: str) -> None:
        """Wait until operators see this value."""

        async def seen() -> bool:
            return await self.shows(party_id, key) == value

        await until(seen)

    @asynccontextmanager
    async def working(self, stand_ins: StandIns | None = None, *, remember: bool = True) -> AsyncIterator[None]:
        """Run all workers of the firm, stopping them at the end; workflows stay where they are.

        A worker that does not `remember` replays a workflow's whole history at every step.
        """
        with pytest.MonkeyPatch.context() as patch:
            if not remember:
                patch.setattr("worker.main.Worker", partial(Worker, max_cached_workflows=0))
            workers = [workflow_worker(self.temporal, self.firm.settings, self.firm.store)]
        workers += [account_worker(self.temporal, _replaced(queue, stand_ins or {})) for queue in self.firm.queues]
        async with AsyncExitStack() as stack:
            for worker in workers:
                await stack.enter_async_context(worker)
            yield

    async def close(self) -> None:
        """End what still runs: the next test's worker must not meet it."""
        for workflow_id in self._begun:
            with contextlib.suppress(RPCError):
                await self.temporal.get_workflow_handle(workflow_id).terminate()


def _replaced(queue: AccountQueue, stand_ins: StandIns) -> AccountQueue:
    return replace(queue, activities=[stand_ins.get(each.__name__, each) for each in queue.activities])


async def until(found: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Return what an async look finds, once that is not nothing. Raises TimeoutError."""
    deadline = time.monotonic() + patience
    while not (seen := await found()):
        if time.monotonic() > deadline:
            raise TimeoutError("it did not happen")
        await asyncio.sleep(0.03)
    return seen
