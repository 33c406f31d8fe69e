"""A CRM's webhooks as state to keep up: what should be registered, and registering what is missing."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pydantic import SecretStr
from temporalio import activity

from activities.errors import temporal_errors
from activities.models import ConnectionName
from activities.sweep_models import HookList, NewHook
from connectors.capsule.api import CapsuleApi
from connectors.errors import Forbidden, NotFound, Refused
from connectors.zoho_crm.api import ZohoCrmApi
from connectors.zoho_crm.models import Channel

DESCRIPTION = "Ledgerline"
MOST_PAGES = 20  # nobody has thousands of channels; a list that never ends is a fault
# Zoho lets a channel live for a week at most. It is renewed every hour from halfway on, so three days of failures cost
# nothing. Source: https://www.zoho.com/crm/developer/docs/api/v8/notifications/enable.html
CHANNEL_LIFE, RENEWED_BEFORE_END = timedelta(days=7) - timedelta(hours=1), timedelta(days=3, hours=12)


class CrmHooks(Protocol):
    """The webhooks of one CRM account, all of them to one address of ours."""

    async def registered(self) -> HookList:
        """Return the events whose webhooks lead to us. Raises Forbidden if the token may not have any."""

    async def register(self, event: str) -> None:
        """Register one event, or renew it. To do so twice only means that a change is announced twice."""


class CrmHookActivities:
    """The webhooks of one CRM account; None if providers cannot reach us. The names are those of old histories."""

    def __init__(self, hooks: CrmHooks | None) -> None:
        self._hooks = hooks

    @activity.defn
    async def list_rest_hooks(self, asked: ConnectionName) -> HookList:
        """Return the events whose webhooks lead to us. Only reads."""
        del asked
        if self._hooks is None:
            return HookList()
        with temporal_errors():
            try:
                return await self._hooks.registered()
            except Forbidden:
                return HookList(allowed=False)

    @activity.defn
    async def create_rest_hook(self, hook: NewHook) -> None:
        """Register one webhook. A repeat may register it twice, which only means that a change is announced twice."""
        if self._hooks is None:
            return
        with temporal_errors():
            await self._hooks.register(hook.event)


class CapsuleHooks:
    """The REST hooks of one Capsule account. Only registered applications may have any."""

    def __init__(self, capsule: CapsuleApi, target_url: str) -> None:
        self._capsule, self._target_url = capsule, target_url

    async def registered(self) -> HookList:
        """Return the events whose hooks lead to us."""
        hooks = await self._capsule.rest_hooks()
        return HookList(events=[hook.event for hook in hooks if hook.event and hook.target_url == self._target_url])

    async def register(self, event: str) -> None:
        """Register one hook."""
        await self._capsule.create_rest_hook(event, self._target_url, DESCRIPTION)


@dataclass(frozen=True)
class ChannelKey:
    """How we know one channel of ours: its number, which is ours to choose, and the token that deliveries bring."""

    channel_id: str
    token: SecretStr = field(repr=False)


class ZohoChannels:
    """The notification channels of one Zoho CRM account: one for each event, and each ends unless it is renewed."""

    def __init__(self, zoho: ZohoCrmApi, target_url: str, keys: Mapping[str, ChannelKey]) -> None:
        """`keys` has the channel of each event."""
        self._zoho, self._target_url, self._keys = zoho, target_url, keys

    async def registered(self) -> HookList:
        """Return the events whose channels lead to us and have not ended, and which of them end soon."""
        now, channels = datetime.now(UTC), await self._channels()
        ends = {event: end for event in self._keys if (end := self._end(event, channels)) is not None and end > now}
        return HookList(
            events=list(ends), expiring=[event for event, end in ends.items() if end - now < RENEWED_BEFORE_END]
        )

    async def register(self, event: str) -> None:
        """Renew the channel of an event, or enable it; whether one that has ended can be renewed is not documented."""
        key, until = self._keys[event], datetime.now(UTC) + CHANNEL_LIFE
        token, url = key.token.get_secret_value(), self._target_url
        if any(each.channel_id == key.channel_id for each in await self._channels()):
            with suppress(NotFound, Refused):
                await self._zoho.renew_channel(key.channel_id, events=[event], notify_url=url, token=token, until=until)
                return
        await self._zoho.enable_channel(key.channel_id, events=[event], notify_url=url, token=token, until=until)

    def _end(self, event: str, channels: Sequence[Channel]) -> datetime | None:
        """Return when the channel of an event ends; None if there is none, or if it leads elsewhere."""
        channel_id = self._keys[event].channel_id
        found = [each for each in channels if each.channel_id == channel_id and event in each.events]
        ends = [each.channel_expiry for each in found if each.notify_url == self._target_url]
        return min((end for end in ends if end is not None), default=None)

    async def _channels(self) -> list[Channel]:
        found: list[Channel] = []
        for page in range(1, MOST_PAGES + 1):
            listed = await self._zoho.channels(page=page)
            found.extend(listed.items)
            if not listed.has_more:
                break
        return found
