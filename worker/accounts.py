"""What one connection needs to work: its two APIs, its mapping, and the activities on each account's queue."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from activities.check_rules import Pace
from activities.checks import FreshBooksCheckActivities
from activities.client_sweeps import AnnounceClient, ClientSweepActivities
from activities.clients import ClientActivities
from activities.crm_checks import CrmCheckActivities, NamedFields
from activities.crm_hooks import CrmHookActivities
from activities.duplicates import ClientMarkActivities, PartyMarkActivities
from activities.hooks import FreshBooksHookActivities
from activities.parties import PartyActivities
from activities.party_sides import PartyMapping
from activities.passes import ClientRules
from activities.plan_listing import ClientListing, PartyListing
from activities.queues import FRESHBOOKS, account_queue
from activities.sweeps import Announce, SweepActivities
from activities.waiting import WaitingActivities
from connectors.freshbooks.api import FreshBooksApi
from connectors.http import TokenSource
from mapping.context import Context
from mapping.engine import Template, load_template
from mapping.values import MappingError
from runtime.load import WrongSettings, explain, settings_folder
from runtime.settings import Connection, Settings
from store.store import Store
from worker.billing import billing_activities
from worker.billing_reports import report_readings
from worker.crms import CrmPlace, crm_parts
from worker.hook_readers import hook_url
from worker.opportunities import (
    AnnounceDocument,
    AnnounceOpportunity,
    books_activities,
    check_activities,
    crm_activities,
    opportunity_rules,
    tell_nobody,
)
from worker.payments import payment_activities
from worker.projects import project_activities, project_crm_activities
from worker.quotas import metered
from worker.reconciliations import client_listing, party_listing
from worker.tokens import account_token
from worker.write_once import write_once


@dataclass(frozen=True)
class AccountQueue:
    """One account's task queue: what runs there, and how many calls a second the account allows."""

    name: str
    activities: Sequence[Callable[..., Any]]
    calls_per_second: float


@dataclass(frozen=True)
class Wiring:
    """What all accounts share."""

    settings: Settings
    http: httpx.AsyncClient
    store: Store
    announce: Announce
    announce_client: AnnounceClient
    announce_opportunity: AnnounceOpportunity = tell_nobody
    announce_document: AnnounceDocument = tell_nobody


def clients_template(name: str, connection: Connection) -> Template:
    """Return the mapping of a connection's clients. Raises WrongSettings, with the line that is wrong."""
    place = ("connections", name, "clients", "mapping")
    try:
        return mapping_of(connection, settings_folder())
    except MappingError as error:
        raise WrongSettings(explain((*place, *error.path), str(error))) from error


def mapping_of(connection: Connection, folder: Path) -> Template:
    """Return the mapping of a connection's clients; its tables and functions lie in `folder`. Raises MappingError."""
    shipped = _shipped(connection)
    if connection.clients.direction == "to-books":  # then overrides may use transforms that cannot be undone
        shipped = shipped.one_way()
    template = shipped.with_overrides(connection.clients.mapping, folder)
    return template if connection.clients.direction == "both" else template.one_way()


def context_of(connection: Connection) -> Context:
    """Return the defaults of a connection's mapping. Raises ValueError for what is no currency or no country."""
    flow = connection.clients
    return Context(
        default_currency=flow.default_currency,
        default_language=flow.default_language,
        phone_region=flow.phone_region,
    )


def check_mappings(settings: Settings) -> None:
    """Raise WrongSettings, with the line that is wrong, unless every connection's mapping can be used."""
    for name, connection in settings.connections.items():
        clients_template(name, connection)
        _context(name, connection)
        _check_opportunities(name, connection)


def _check_opportunities(name: str, connection: Connection) -> None:
    try:
        if connection.opportunities is not None:
            opportunity_rules(connection, connection.opportunities)
    except MappingError as error:
        where = str(MappingError(error.path, ""))
        place = ("connections", name, "opportunities", *error.path)
        raise WrongSettings(explain(place, str(error).removeprefix(where))) from error


def client_rules(name: str, connection: Connection, store: Store) -> ClientRules:
    """Return how a connection's clients are synced. Raises WrongSettings."""
    return ClientRules(
        template=clients_template(name, connection),
        in_books=write_once(connection, store, FRESHBOOKS),
        in_crm=write_once(connection, store, connection.crm),
        bulk_limit=connection.clients.bulk_limit,
        delete_limit=connection.clients.delete_limit,
        archives=connection.clients.when_party_deleted == "archive",
    )


def named_fields(template: Template, connection: Connection) -> NamedFields:
    """Return what names custom fields of the account: parties are created only where changes go both ways."""
    reference_field = connection.reference_field if connection.clients.direction == "both" else None
    return NamedFields(template, _shipped(connection), reference_field)


def account_queues(name: str, wiring: Wiring) -> list[AccountQueue]:
    """Return both queues of one connection, wired. Raises WrongSettings."""
    connection = wiring.settings.connections[name]
    return [
        queue_of(name, system, wiring, account_token(name, connection, system, wiring.http, wiring.store))
        for system in connection.accounts
    ]


def queue_of(name: str, system: str, wiring: Wiring, token: TokenSource) -> AccountQueue:
    """Return the queue of one of a connection's accounts, whose requests are counted. Raises WrongSettings."""
    counted = metered(wiring.store, name, wiring.settings.connections[name], system, token)
    return freshbooks_queue(name, wiring, counted) if system == FRESHBOOKS else crm_queue(name, wiring, counted)


def crm_queue(name: str, wiring: Wiring, token: TokenSource) -> AccountQueue:
    """Return the queue of a connection's account at its CRM. Raises WrongSettings."""
    store, connection = wiring.store, wiring.settings.connections[name]
    template, context = clients_template(name, connection), _context(name, connection)
    parts = crm_parts(CrmPlace(wiring.settings, name, wiring.http, token, store.keys), template)
    mapping, once = PartyMapping(template, context), write_once(connection, store, connection.crm)
    parties = PartyActivities(parts.crm, mapping, store, once)
    party_marks = PartyMarkActivities(parts.crm, store)
    sweeps = SweepActivities(parts.crm, mapping, store, wiring.announce)
    hooks = CrmHookActivities(parts.hooks)
    check = CrmCheckActivities(parts.checked, parts.pace, named_fields(template, connection))
    activities: list[Callable[..., Any]] = [
        parties.read_party,
        parties.look_for_party,
        parties.create_party,
        parties.update_party,
        parties.party_fate,
        party_marks.read_party_marks,
        party_marks.parties_marked,
        sweeps.sweep_parties,
        sweeps.deleted_parties,
        sweeps.sweep_deletions,
        sweeps.announce_people,
        hooks.list_rest_hooks,
        hooks.create_rest_hook,
        check.identify_crm,
        check.examine_crm,
        check.examine_custom_fields,
        PartyListing(parts.crm, mapping, store).stage_parties,
        *party_listing(parts.crm, mapping, store),
        WaitingActivities(parts.crm, mapping, store, wiring.announce, wiring.announce_client).let_go,
        *crm_activities(connection, parts.opportunities, store, wiring.announce_opportunity),
        *check_activities(connection, parts.pipelines),
        *project_crm_activities(connection, parts.opportunities, store, wiring.announce_document),
    ]
    pace = connection.crm_account.calls_per_second
    return AccountQueue(account_queue(connection.crm, name), activities, pace)


def freshbooks_queue(name: str, wiring: Wiring, token: TokenSource) -> AccountQueue:
    """Return the queue of a connection's FreshBooks account. Raises WrongSettings."""
    settings, store, connection = wiring.settings, wiring.store, wiring.settings.connections[name]
    template, context = clients_template(name, connection), _context(name, connection)
    account_id, base_url = connection.freshbooks.account_id, connection.freshbooks.base_url
    freshbooks = FreshBooksApi(wiring.http, token, account_id, base_url, connection.request_timeout)
    clients = ClientActivities(freshbooks, template, context, store, write_once(connection, store, FRESHBOOKS))
    client_marks = ClientMarkActivities(freshbooks, store)
    sweeps = ClientSweepActivities(freshbooks, template, context, store, wiring.announce_client)
    callbacks = FreshBooksHookActivities(freshbooks, hook_url(settings, store.keys, FRESHBOOKS, name), store)
    pace = Pace(connection.freshbooks.requests_per_minute, "a minute", "freshbooks.requests_per_minute")
    check = FreshBooksCheckActivities(freshbooks, account_id, pace)
    activities: list[Callable[..., Any]] = [
        clients.read_client,
        clients.look_for_client,
        clients.create_client,
        clients.update_client,
        clients.set_visibility,
        client_marks.read_client_marks,
        client_marks.clients_marked,
        sweeps.sweep_clients,
        callbacks.list_callbacks,
        callbacks.create_callback,
        callbacks.verify_callback,
        callbacks.resend_verification,
        check.identify_freshbooks,
        check.examine_freshbooks,
        ClientListing(freshbooks, template, context, store).stage_clients,
        *client_listing(freshbooks, template, context, store),
        *books_activities(connection, freshbooks, store, wiring.announce_document),
        *billing_activities(connection, freshbooks, store),
        *report_readings(connection, freshbooks),
        *payment_activities(connection, freshbooks, store, wiring.announce_document),
        *project_activities(connection, freshbooks, store, wiring.announce_document),
    ]
    return AccountQueue(account_queue(FRESHBOOKS, name), activities, connection.freshbooks.calls_per_second)


def _shipped(connection: Connection) -> Template:
    return load_template(f"{connection.crm}-freshbooks/clients")


def _context(name: str, connection: Connection) -> Context:
    try:
        return context_of(connection)
    except ValueError as error:
        raise WrongSettings(explain(("connections", name, "clients"), str(error))) from error
