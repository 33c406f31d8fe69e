"""The alert watch, wired: what it looks at, by which channels it tells people, and the queue that it works on."""

from collections.abc import Callable
from typing import Any

import httpx
from temporalio.client import Client

from activities.alerts import ALERT_QUEUE, AlertActivities
from activities.channels import Channel, UnusableChannel
from activities.lookout import Lookout, WatchedAccount, WatchedHooks, WatchedQueue, WatchedStream
from activities.queues import FRESHBOOKS, account_queue
from runtime.load import WrongSettings, explain
from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Settings
from starters.wanted_schedules import SWEEPS
from store.alerts import Rhythm
from store.store import Store
from worker.accounts import AccountQueue
from workflows.client_sweeps import CLIENTS
from workflows.sweeps import PARTIES

SILENT_SWEEPS = 3  # so many intervals without the end of a sweep are silence, however short the interval is
CALLS_PER_SECOND = 10.0  # of looks and rounds together; far more than there are


def alert_queue(settings: Settings, temporal: Client, store: Store, http: httpx.AsyncClient) -> AccountQueue:
    """Return the queue of the alert watch. Raises WrongSettings, with the address that cannot be used."""
    alerts = alert_activities(settings, temporal, store, http)
    steps: list[Callable[..., Any]] = [
        alerts.look,
        alerts.send_alerts,
        alerts.tell_blindness,
        alerts.beat,
        alerts.try_channels,
    ]
    return AccountQueue(ALERT_QUEUE, steps, CALLS_PER_SECOND)


def alert_activities(settings: Settings, temporal: Client, store: Store, http: httpx.AsyncClient) -> AlertActivities:
    """Return the steps of the alert watch. Raises WrongSettings, with the address that cannot be used."""
    watch, told = settings.alerts, Rhythm(settings.alerts.group_for, settings.alerts.quiet_for)
    streams, queues, hooks = watched_streams(settings), watched_queues(settings), watched_hooks(settings)
    unswept = unswept_accounts(settings)
    lookout = Lookout(store, temporal, streams, queues, watch.backlog_after, hooks=hooks, unswept=unswept)
    return AlertActivities(
        store,
        lookout,
        _channels(settings),
        told,
        http=http,
        heartbeat_url=watch.heartbeat_url,
        blind_after=watch.silence_after,
    )


def watched_streams(settings: Settings) -> list[WatchedStream]:
    """Return every stream that has a sweep. A sweep of the books runs only where changes go both ways."""
    return [
        WatchedStream(
            connection=name,
            name=PARTIES[system] if system == connection.crm else CLIENTS,
            schedule_id=f"{SWEEPS[system]}/{name}",
            patience=max(settings.alerts.silence_after, SILENT_SWEEPS * connection.clients.sweep_every),
        )
        for name, connection in settings.connections.items()
        for system in (connection.crm, FRESHBOOKS)
        if system == connection.crm or connection.clients.direction == "both"
    ]


def unswept_accounts(settings: Settings) -> list[WatchedAccount]:
    """Return the books that are only written to: no sweep would notice that they are away."""
    return [
        WatchedAccount(name, FRESHBOOKS, settings.alerts.silence_after)
        for name, connection in settings.connections.items()
        if connection.clients.direction == "to-books"
    ]


def watched_queues(settings: Settings) -> list[WatchedQueue]:
    """Return the queue of all workflows and those of the accounts."""
    return [WatchedQueue(WORKFLOW_QUEUE, workflows=True)] + [
        WatchedQueue(account_queue(system, name), name)
        for name, connection in settings.connections.items()
        for system in (connection.crm, FRESHBOOKS)
    ]


def watched_hooks(settings: Settings) -> list[WatchedHooks]:
    """Return the systems that are asked to tell us of changes; none if they cannot reach us."""
    if settings.public_url is None:
        return []
    return [
        WatchedHooks(name, system)
        for name, connection in settings.connections.items()
        for system in (connection.crm, FRESHBOOKS)
    ]


def _channels(settings: Settings) -> list[Channel]:
    channels = []
    for number, url in enumerate(settings.alerts.urls, start=1):
        try:
            channels.append(Channel(number, url))
        except UnusableChannel as error:
            raise WrongSettings(explain(("alerts", "urls", number - 1), str(error))) from None
    return channels
