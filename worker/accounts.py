"""What one connection needs to work: its two APIs, its mapping, and the activities on each account's queue."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from activities.checks import CapsuleCheckActivities, FreshBooksCheckActivities
from activities.clients import ClientActivities, PartyActivities
from activities.hooks import CapsuleHookActivities, FreshBooksHookActivities
from activities.queues import CAPSULE, FRESHBOOKS, account_queue
from activities.sweeps import Announce, SweepActivities
from connectors.capsule.api import CapsuleApi
from connectors.freshbooks.api import FreshBooksApi
from connectors.http import fixed_token
from mapping.context import Context
from mapping.engine import Direction, Template, load_template
from mapping.values import MappingError
from runtime.load import WrongSettings, explain
from runtime.settings import Connection, Settings
from store.store import Store
from worker.hook_readers import hook_url

CLIENTS_TEMPLATE = "capsule-freshbooks/clients"


@dataclass(frozen=True)
class AccountQueue:
    """One account's task queue: what runs there, and how many calls a second the account allows."""

    name: str
    activities: Sequence[Callable[..., Any]]
    calls_per_second: float


def clients_template(name: str, connection: Connection) -> Template:
    """Return the mapping of a connection's clients. Raises WrongSettings, with the line that is wrong."""
    place = ("connections", name, "clients", "mapping")
    try:
        template = load_template(CLIENTS_TEMPLATE).with_overrides(connection.clients.mapping)
    except MappingError as error:
        raise WrongSettings(explain((*place, *error.path), str(error))) from error
    for field, rule in template.rules.items():
        if rule.direction is Direction.BOTH:
            text = "changes are not carried back to Capsule yet; allowed here: to-books"
            raise WrongSettings(explain((*place, field, "direction"), text))
    return template


def check_mappings(settings: Settings) -> None:
    """Raise WrongSettings, with the line that is wrong, unless every connection's mapping can be used."""
    for name, connection in settings.connections.items():
        clients_template(name, connection)
        _context(name, connection)


def lost_after(connection: Connection) -> timedelta:
    """Return how long after its start a request that nobody watches any more can still take effect."""
    return connection.request_timeout + connection.settle_time


def account_queues(
    name: str, settings: Settings, http: httpx.AsyncClient, store: Store, announce: Announce
) -> list[AccountQueue]:
    """Return both queues of one connection, wired. Raises WrongSettings."""
    connection = settings.connections[name]
    template, context = clients_template(name, connection), _context(name, connection)
    capsule = CapsuleApi(
        http, fixed_token(connection.capsule.token), connection.capsule.base_url, connection.request_timeout
    )
    freshbooks = FreshBooksApi(
        http,
        fixed_token(connection.freshbooks.token),
        connection.freshbooks.account_id,
        connection.freshbooks.base_url,
        connection.request_timeout,
    )
    parties = PartyActivities(capsule, template, context, store)
    sweeps = SweepActivities(capsule, template, context, store, announce)
    capsule_hooks = CapsuleHookActivities(capsule, hook_url(settings, store.keys, CAPSULE, name))
    capsule_check = CapsuleCheckActivities(capsule)
    clients = ClientActivities(freshbooks, template, context, store, connection.settle_time)
    callbacks = FreshBooksHookActivities(freshbooks, hook_url(settings, store.keys, FRESHBOOKS, name), store)
    freshbooks_check = FreshBooksCheckActivities(freshbooks, connection.freshbooks.account_id)
    return [
        AccountQueue(
            account_queue(CAPSULE, name),
            [
                parties.read_party,
                sweeps.sweep_parties,
                sweeps.deleted_parties,
                sweeps.announce_people,
                capsule_hooks.list_rest_hooks,
                capsule_hooks.create_rest_hook,
                capsule_check.identify_capsule,
            ],
            connection.capsule.calls_per_second,
        ),
        AccountQueue(
            account_queue(FRESHBOOKS, name),
            [
                clients.read_client,
                clients.look_for_client,
                clients.create_client,
                clients.update_client,
                callbacks.list_callbacks,
                callbacks.create_callback,
                callbacks.verify_callback,
                callbacks.resend_verification,
                freshbooks_check.identify_freshbooks,
            ],
            connection.freshbooks.calls_per_second,
        ),
    ]


def _context(name: str, connection: Connection) -> Context:
    flow = connection.clients
    try:
        return Context(
            default_currency=flow.default_currency,
            default_language=flow.default_language,
            phone_region=flow.phone_region,
        )
    except ValueError as error:
        raise WrongSettings(explain(("connections", name, "clients"), str(error))) from error
