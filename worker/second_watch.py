"""The second watch: tells people, from the receiver's process, that Temporal or the workers are away.

The alert watch is a workflow: it does not look without Temporal, or without a worker. The store has when it last did.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from activities.alert_texts import STANDSTILL
from activities.alerts import AlertActivities
from activities.models import ChannelNumber
from store.alerts import Incident
from store.store import Store

log = structlog.get_logger()

LOOK_EVERY = timedelta(seconds=30)


class SecondWatch:
    """Opens one alert, and sends what is due, for as long as the alert watch does not look."""

    def __init__(self, store: Store, alerts: AlertActivities, patience: timedelta) -> None:
        self._store, self._alerts, self._patience = store, alerts, patience
        self._every = min(LOOK_EVERY, patience / 4)
        self._began_at = self._looked_at = datetime.now(UTC)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except (SQLAlchemyError, OSError) as error:  # then the alert watch is the one who tells
                log.warning("the second watch cannot look", reason=type(error).__name__)
                self._begin_anew()
            await asyncio.sleep(self._every.total_seconds())

    async def look(self) -> None:
        """Tell people if nobody has looked for too long. Raises SQLAlchemyError."""
        now = datetime.now(UTC)
        if now - self._looked_at > self._patience:  # this machine slept, and so did the alert watch
            self._begin_anew()
        self._looked_at = now
        last = await self._store.alerts.last_look()
        since = max(last, self._began_at) if last else self._began_at
        if now - since < self._patience:
            return
        await self._store.alerts.began(Incident(STANDSTILL, "", STANDSTILL, since))
        for number in self._alerts.channel_numbers:
            await self._alerts.send_alerts(ChannelNumber(number=number))

    def _begin_anew(self) -> None:
        """Give the alert watch its usual time: after a start, and after what we could not see ourselves."""
        self._began_at = self._looked_at = datetime.now(UTC)
