"""A worker without one of its safeguards: `python -m tests.faults.broken_worker no-look|no-settle`.

It shows that the campaign bites: with this worker it has to find duplicates. Production code has no such switch.
"""

import sys
from datetime import timedelta
from typing import Any

import uvloop
from temporalio import activity

from activities.clients import ClientActivities
from activities.models import Found, LookForClient
from runtime.load import load_settings
from runtime.logs import set_up_logs
from runtime.settings import Settings
from store.lags import Lags
from worker.main import work


def without_look() -> Settings:
    """Let every look find nothing, so that a create whose answer was lost is made again."""

    @activity.defn(name="look_for_client")
    async def nothing(self: ClientActivities, search: LookForClient) -> Found:
        del self, search
        return Found()

    _replace(ClientActivities, "look_for_client", nothing)
    return load_settings()


def without_settle_time() -> Settings:
    """Look again at once after a lost answer, while the search still lags."""

    async def at_once(self: Lags, connection: str, system: str, least: timedelta) -> timedelta:
        del self, connection, system, least
        return timedelta(0)

    _replace(Lags, "settle_time", at_once)
    settings = load_settings()
    impatient = {
        name: connection.model_copy(update={"settle_time": timedelta(0)})
        for name, connection in settings.connections.items()
    }
    return settings.model_copy(update={"connections": impatient})


BROKEN = {"no-look": without_look, "no-settle": without_settle_time}


def _replace(where: type, name: str, what: Any) -> None:
    """A safeguard that has moved elsewhere must not seem to be left out."""
    if not hasattr(where, name):
        raise AttributeError(f"{where.__name__} has no {name} any more: leave the safeguard out where it is now")
    setattr(where, name, what)


if __name__ == "__main__":
    settings = BROKEN[sys.argv[1]]()
    set_up_logs("worker", settings.log_format, settings.log_level)
    uvloop.run(work(settings))
