"""Each account's worker runs while the account may be called. While it may not, its queue waits in Temporal."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import structlog
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.tokens import FixedToken, RenewedToken
from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Connection
from runtime.watching import unchanged
from store.tokens import NEEDS_CONSENT, Account
from worker.accounts import AccountQueue, Wiring, queue_of
from worker.tokens import account_token, with_account_id
from workflows.consent import ConsentNeeded, consent_id
from workflows.models import ConsentRequest

log = structlog.get_logger()

LOOK_EVERY = 2.0
# The hold is asked for again now and then: a run that was just ending has not heard of it.
ASK_AGAIN_AFTER = 15.0

Place = tuple[str, str]
"""A connection and a system."""


@dataclass
class _Running:
    """One account's worker at work."""

    work: asyncio.Task[None]
    stop: asyncio.Event


class AccountWorkers:
    """The workers of all accounts of this process. One look at the store serves them all."""

    def __init__(self, temporal: Client, wiring: Wiring, worker_of: Callable[[AccountQueue], Worker]) -> None:
        self._temporal, self._wiring, self._worker_of = temporal, wiring, worker_of
        self._tokens = _tokens(wiring, wiring.settings.connections)
        self._retired: list[FixedToken | RenewedToken] = []
        self._running: dict[Place, _Running] = {}
        self._asked: dict[Place, float] = {}
        self._told: set[Place] = set()
        self._usable: set[Place] = set()

    def follow(self, wiring: Wiring) -> None:
        """Serve other settings from now on. Accounts of connections that are the same are left at work."""
        kept = unchanged(self._wiring.settings, wiring.settings)
        new = {name: each for name, each in wiring.settings.connections.items() if name not in kept}
        self._wiring = wiring
        for place in [place for place in self._tokens if place[0] not in kept]:
            self._retired.append(self._tokens.pop(place))
            self._usable.discard(place)
            if place in self._running:
                self._running[place].stop.set()
        self._tokens |= _tokens(wiring, new)

    async def run_until(self, stopped: Awaitable[object]) -> None:
        """Run and pause workers as the accounts' states ask, until `stopped` returns; then let them finish.

        Raises whatever ended a worker before its time.
        """
        stop = asyncio.ensure_future(stopped)
        try:
            while not stop.done():
                await self._look()
                await asyncio.wait({stop, *self._works()}, timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
                self._clear_away()
            stop.result()
        finally:
            stop.cancel()
            await self._finish()

    async def _look(self) -> None:
        try:
            accounts = await self._wiring.store.tokens.all()
            for place in list(self._tokens):
                await self._see_to(place, accounts.get(place))
        except (SQLAlchemyError, OSError) as error:  # as it was is as good as it gets, until the store answers again
            log.warning("the accounts' states cannot be read", reason=type(error).__name__)

    async def _see_to(self, place: Place, account: Account | None) -> None:
        if account is not None and account.state == NEEDS_CONSENT:
            if not self._tokens[place].cured(account):
                self._pause(place)
                await self._ask_for_consent(place)
                return
            await self._wiring.store.tokens.try_again(*place)
        if not self._is_connected(place, account):
            self._pause(place)
            self._tell_how_to_connect(place)
            return
        self._told.discard(place)
        if place not in self._tokens:
            return  # it left the settings meanwhile
        if place not in self._usable:
            await self._end_waiting(place)
        if place not in self._running:
            self._start(place, account)

    def _is_connected(self, place: Place, account: Account | None) -> bool:
        name, system = place
        registered = self._wiring.settings.connections[name].accounts[system].is_registered
        return not registered or (account is not None and account.connected)

    def _start(self, place: Place, account: Account | None) -> None:
        name, system = place
        stop = asyncio.Event()
        settings = with_account_id(self._wiring.settings, name, account.account_id if account else None)
        queue = queue_of(name, system, replace(self._wiring, settings=settings), self._tokens[place])
        self._running[place] = _Running(asyncio.create_task(self._work(queue, stop)), stop)

    async def _work(self, queue: AccountQueue, stop: asyncio.Event) -> None:
        async with self._worker_of(queue):
            await stop.wait()

    def _pause(self, place: Place) -> None:
        self._usable.discard(place)
        running = self._running.get(place)
        if running is not None and not running.stop.is_set():
            log.warning("pausing", connection=place[0], system=place[1])
            running.stop.set()

    def _works(self) -> set[asyncio.Task[None]]:
        return {each.work for each in self._running.values()}

    def _clear_away(self) -> None:
        """Forget the workers that have ended. Raises what ended them, unless it was us."""
        for place, running in list(self._running.items()):
            if running.work.done():
                del self._running[place]
                running.work.result()

    async def _finish(self) -> None:
        """Let the requests that have begun, and then the renewals that have begun, come to their ends."""
        log.info("stopping: finishing the requests that have begun")
        for running in self._running.values():
            running.stop.set()
        tokens = [*self._tokens.values(), *self._retired]
        await asyncio.gather(*self._works(), *(token.finish() for token in tokens), return_exceptions=True)
        await asyncio.gather(*(token.finish() for token in tokens), return_exceptions=True)

    async def _ask_for_consent(self, place: Place) -> None:
        """Have one hold opened for the account, whoever found out that consent is lost."""
        if time.monotonic() - self._asked.get(place, -ASK_AGAIN_AFTER) < ASK_AGAIN_AFTER:
            return
        name, system = place
        try:
            await self._temporal.start_workflow(
                ConsentNeeded.run,
                ConsentRequest(connection=name, system=system),
                id=consent_id(name, system),
                task_queue=WORKFLOW_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=f"{system} of {name} has to be connected by a person",
            )
            self._asked[place] = time.monotonic()
        except RPCError as error:
            log.warning("the hold cannot be opened yet", connection=name, system=system, reason=error.message)

    async def _end_waiting(self, place: Place) -> None:
        """Tell whoever still waits for the account that it is usable."""
        if await end_waiting(self._temporal, *place):
            log.info("usable again", connection=place[0], system=place[1])
        self._usable.add(place)
        self._asked.pop(place, None)

    def _tell_how_to_connect(self, place: Place) -> None:
        if place not in self._told:
            self._told.add(place)
            name, system = place
            remedy = f"ledgerline connect {system} --connection {name}"
            log.warning("not connected; what needs it waits", connection=name, system=system, remedy=remedy)


def _tokens(wiring: Wiring, connections: Mapping[str, Connection]) -> dict[Place, FixedToken | RenewedToken]:
    return {
        (name, system): account_token(name, connection, system, wiring.http, wiring.store)
        for name, connection in connections.items()
        for system in connection.accounts
    }


async def end_waiting(temporal: Client, connection: str, system: str) -> bool:
    """Wake the workflow that waits for an account. False if none does, or Temporal cannot be reached."""
    try:
        await temporal.get_workflow_handle(consent_id(connection, system)).signal(ConsentNeeded.look)
    except RPCError:
        return False
    return True
