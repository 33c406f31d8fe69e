"""What can be away for a day, and how it goes away and comes back."""

import os
import signal
from typing import Protocol

from tests.databases import Postgres
from tests.faults.crms import StandIn
from tests.faults.outage_wire import WAYS, Wire
from tests.faults.rig import Rig, temporal_child

STAGES = len(WAYS)
"""An outage has so many stages, in which a system is away in another way each."""


class Outage(Protocol):
    """One part of the world that goes away and comes back."""

    async def begin(self, rig: Rig) -> None:
        """Let it go away, in the middle of what it does."""

    async def go_on(self, rig: Rig, stage: int) -> None:
        """Let it be away in another way, where there is one. The stage is 1 or more."""

    async def end(self, rig: Rig) -> None:
        """Let it come back."""


class SystemAway:
    """Capsule or FreshBooks. What it would have told by webhooks after the first stage is lost for good."""

    def __init__(self, wire: Wire, *, is_crm: bool) -> None:
        self._wire, self._is_crm = wire, is_crm

    async def begin(self, rig: Rig) -> None:
        """Refuse connections."""
        await self._wire.cut(WAYS[0])

    async def go_on(self, rig: Rig, stage: int) -> None:
        """Take requests without an answer, then answer 503, and tell nobody of anything."""
        await self._wire.cut(WAYS[stage])
        await self._side(rig).set(hooks={"drop": 1.0})

    async def end(self, rig: Rig) -> None:
        """Answer."""
        await self._wire.mend()
        await self._side(rig).set(hooks={"drop": 0.0})

    def _side(self, rig: Rig) -> StandIn:
        return rig.crm if self._is_crm else rig.books


class TemporalAway:
    """The Temporal server, killed; its file stays."""

    async def begin(self, rig: Rig) -> None:
        """Kill it."""
        pid = rig.supervisor.pid("temporal")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await rig.supervisor.stop("temporal")

    async def go_on(self, rig: Rig, stage: int) -> None:
        """Stay away."""

    async def end(self, rig: Rig) -> None:
        """Serve what is in the file."""
        await rig.supervisor.start(await temporal_child(rig.settings))


class DatabaseAway:
    """PostgreSQL, killed; its files stay."""

    def __init__(self, server: Postgres) -> None:
        self._server = server

    async def begin(self, rig: Rig) -> None:
        """Kill it."""
        self._server.kill()

    async def go_on(self, rig: Rig, stage: int) -> None:
        """Stay away."""

    async def end(self, rig: Rig) -> None:
        """Serve what was committed."""
        self._server.resume()
