"""Serving the connections of the settings as they come and go, without a restart."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from runtime.load import WrongSettings
from runtime.settings import Settings
from runtime.watching import unchanged
from starters.schedules import ensure_schedules, remove_unwanted
from starters.wanted_schedules import wanted_schedules
from worker.account_workers import AccountWorkers
from worker.accounts import Wiring, account_queues, check_mappings

log = structlog.get_logger()

Shared = Callable[[Settings, AsyncExitStack], Awaitable[None]]
"""Starts what serves all connections together, as the settings have them; it ends with the stack."""


class Serving:
    """What one worker process serves. `shared` starts the workers that know all connections."""

    def __init__(self, temporal: Client, wiring_of: Callable[[Settings], Wiring], shared: Shared) -> None:
        self._temporal, self._wiring_of, self._shared = temporal, wiring_of, shared

    async def run_until(
        self, stopped: Awaitable[object], accounts: AccountWorkers, settings: Settings, changes: AsyncIterator[Settings]
    ) -> None:
        """Serve the settings, and then each of `changes`, until `stopped` returns.

        Raises whatever keeps the first settings from being served, and what ended a worker before its time.
        """
        stack = AsyncExitStack()
        await self._shared(settings, stack)
        following = asyncio.create_task(self._follow(accounts, settings, changes, stack))
        try:
            await accounts.run_until(_first(stopped, following))
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    async def _follow(
        self, accounts: AccountWorkers, settings: Settings, changes: AsyncIterator[Settings], stack: AsyncExitStack
    ) -> None:
        try:
            async for now in changes:
                if not self._is_usable(settings, now):
                    continue
                # Two workers of one queue cannot be in one process: what waits meanwhile, waits in Temporal.
                await stack.aclose()
                stack = AsyncExitStack()
                await self._shared(now, stack)
                accounts.follow(self._wiring_of(now))
                await self._schedule(settings, now)
                came, went = _names(settings, now)
                log.info("connections changed", changed=came, gone=went)
                settings = now
        finally:
            await stack.aclose()

    def _is_usable(self, before: Settings, now: Settings) -> bool:
        """Return whether the new connections can be served; if not, the old ones stay in force."""
        try:
            check_mappings(now)
            wiring = self._wiring_of(now)
            for name in now.connections.keys() - unchanged(before, now):
                account_queues(name, wiring)
        except WrongSettings as error:
            log.error("the changed settings cannot be used; those from before stay in force", mistakes=str(error))  # noqa: TRY400
            return False
        return True

    async def _schedule(self, before: Settings, now: Settings) -> None:
        """Bring the schedules of what is new to what the settings ask for, as `ledgerline schedules` does."""
        new = {name: each for name, each in now.connections.items() if name not in unchanged(before, now)}
        changed = now.model_copy(update={"connections": new})
        try:
            await ensure_schedules(self._temporal, wanted_schedules(changed), run_now=True)
            await remove_unwanted(self._temporal, changed)
        except RPCError as error:
            remedy = "run `ledgerline schedules`"
            log.warning("the schedules cannot be made yet", reason=error.message, remedy=remedy)


async def _first(stopped: Awaitable[object], following: asyncio.Task[None]) -> None:
    """Return when this process is to stop. Raises what ended the workers that all connections share."""
    stop = asyncio.ensure_future(stopped)
    try:
        await asyncio.wait({stop, following}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
    if following.done():
        if following.cancelled():  # the SDK cancels whoever entered a worker that fails
            raise RuntimeError("a worker that all connections share has ended")
        following.result()


def _names(before: Settings, now: Settings) -> tuple[list[str], list[str]]:
    came = now.connections.keys() - unchanged(before, now)
    return sorted(came), sorted(before.connections.keys() - now.connections.keys())
