"""Which operation answers at which address of Capsule's API. Fixed paths stand before those with an id in them."""

from sandbox.calls import Handler, Operation
from sandbox.capsule.account import Account
from sandbox.capsule.definitions import Definitions, Tags
from sandbox.capsule.entities import OPPORTUNITY, PARTY, Entity
from sandbox.capsule.entries import Entries
from sandbox.capsule.looks import Looks
from sandbox.capsule.opportunities import Opportunities
from sandbox.capsule.parties import Parties
from sandbox.capsule.pipelines import Pipelines
from sandbox.capsule.reference import Reference
from sandbox.capsule.resthooks import RestHooks

API = "/api/v2"

Route = tuple[str, str, Handler]


def operations(account: Account, hooks: RestHooks) -> list[Operation]:
    """Return every operation that asks for a token: reading needs `read`, and only a filter reads by POST."""
    reads = Reference(account)
    table: list[Route] = [
        ("GET", "/users", reads.users),
        ("GET", "/users/{id}", reads.user),
        ("GET", "/teams", reads.teams),
        ("GET", "/teams/{id}", reads.team),
        ("GET", "/site", reads.site),
        ("GET", "/countries", reads.countries),
        ("GET", "/currencies", reads.currencies),
        ("GET", "/resthooks", hooks.index),
        ("POST", "/resthooks", hooks.create),
        ("GET", "/resthooks/{id}", hooks.get),
        ("DELETE", "/resthooks/{id}", hooks.delete),
        *_of_parties(account),
        *_of_opportunities(account),
        *_of_pipelines(account),
        *_of_entries(account),
    ]
    return [Operation(method, API + path, handler, _scope(method, path)) for method, path, handler in table]


def _scope(method: str, path: str) -> str:
    return "read" if method == "GET" or path.endswith("/filters/results") else "write"


def _of_entity(account: Account, entity: Entity, looks: Looks) -> list[Route]:
    """Return what all entities have: lists, custom fields and tags."""
    definitions, tags, base = Definitions(account, entity), Tags(account, entity), f"/{entity.many}"
    return [
        ("GET", base, looks.index),
        ("GET", f"{base}/search", looks.search),
        ("GET", f"{base}/deleted", looks.deleted),
        ("GET", f"{base}/fields/definitions", definitions.index),
        ("POST", f"{base}/fields/definitions", definitions.create),
        ("GET", f"{base}/fields/definitions/{{id}}", definitions.get),
        ("PUT", f"{base}/fields/definitions/{{id}}", definitions.update),
        ("DELETE", f"{base}/fields/definitions/{{id}}", definitions.delete),
        ("GET", f"{base}/tags", tags.index),
        ("POST", f"{base}/tags", tags.create),
        ("GET", f"{base}/tags/{{id}}", tags.get),
        ("PUT", f"{base}/tags/{{id}}", tags.update),
        ("DELETE", f"{base}/tags/{{id}}", tags.delete),
        ("GET", f"{base}/{{ids}}", looks.get),
    ]


def _of_parties(account: Account) -> list[Route]:
    parties = Parties(account)
    return [
        *_of_entity(account, PARTY, parties.looks),
        ("POST", "/parties", parties.create),
        ("POST", "/parties/filters/results", parties.filtered),
        ("GET", "/parties/{id}/people", parties.people),
        ("PUT", "/parties/{ids}", parties.update),
        ("DELETE", "/parties/{ids}", parties.delete),
        ("GET", "/jobs/{id}", parties.job),
    ]


def _of_opportunities(account: Account) -> list[Route]:
    opportunities = Opportunities(account)
    return [
        *_of_entity(account, OPPORTUNITY, opportunities.looks),
        ("POST", "/opportunities", opportunities.create),
        ("POST", "/opportunities/filters/results", opportunities.filtered),
        ("GET", "/opportunities/{id}/parties", opportunities.parties),
        ("POST", "/opportunities/{id}/parties/{party_id}", opportunities.add_party),
        ("DELETE", "/opportunities/{id}/parties/{party_id}", opportunities.remove_party),
        ("GET", "/parties/{id}/opportunities", opportunities.of_party),
        ("PUT", "/opportunities/{ids}", opportunities.update),
        ("DELETE", "/opportunities/{ids}", opportunities.delete),
    ]


def _of_pipelines(account: Account) -> list[Route]:
    pipelines = Pipelines(account)
    return [
        ("GET", "/pipelines", pipelines.index),
        ("GET", "/pipelines/{id}/milestones", pipelines.milestones_of),
        ("GET", "/pipelines/{ids}", pipelines.get),
        ("GET", "/milestones", pipelines.milestones),
        ("POST", "/milestones", pipelines.create_milestone),
        ("GET", "/milestones/all", pipelines.all_milestones),
        ("GET", "/milestones/{id}", pipelines.milestone),
        ("GET", "/lostreasons", pipelines.lost_reasons),
        ("GET", "/lostreasons/{id}", pipelines.lost_reason),
    ]


def _of_entries(account: Account) -> list[Route]:
    entries = Entries(account)
    return [
        ("POST", "/entries", entries.create),
        ("GET", "/entries/{id}", entries.get),
        ("PUT", "/entries/{id}", entries.update),
        ("DELETE", "/entries/{id}", entries.delete),
        ("GET", "/parties/{id}/entries", entries.of_party),
        ("GET", "/opportunities/{id}/entries", entries.of_opportunity),
    ]
