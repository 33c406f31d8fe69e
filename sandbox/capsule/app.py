"""Puts Capsule's stand-in together: its operations, its seed, its tokens."""

import functools

import httpx

from sandbox.background import Background
from sandbox.calls import Call, Operation
from sandbox.capsule.account import ADMIN_ID, ROW_KEYS, SUBDOMAIN, Account
from sandbox.capsule.definitions import Definitions, Tags
from sandbox.capsule.errors import failure
from sandbox.capsule.gate import Gate
from sandbox.capsule.lifecycle import merge, restore, restrict, unrestrict
from sandbox.capsule.oauth import LIFETIME, OAuth
from sandbox.capsule.parties import Parties
from sandbox.capsule.party_write import create, delete, update
from sandbox.capsule.reference import Reference
from sandbox.capsule.render import full_view
from sandbox.capsule.resthooks import PAUSES, RestHooks
from sandbox.capsule.seed import seed_account
from sandbox.courier import Courier
from sandbox.faults import Faults
from sandbox.hands import Hands
from sandbox.ledger import Ledger, Record
from sandbox.records import Records
from sandbox.refreshes import Refreshes
from sandbox.service import Service
from sandbox.settings import CapsuleSettings
from sandbox.tokens import Tokens, minted

API = "/api/v2"


def build_capsule(
    ledger: Ledger, *, seed: int, records: int, per_hour: int, transport: httpx.AsyncBaseTransport | None
) -> Service:
    """Return Capsule's stand-in with its state as seed and ledger make it."""
    store = Records("capsule", seed, ledger, ROW_KEYS)
    settings, background = CapsuleSettings(), Background()
    tokens = Tokens(store, lambda kind, number: minted(seed, "capsule", kind, number), LIFETIME, settings)
    account = Account(store, tokens, settings)
    courier = Courier(seed, PAUSES, settings, background, transport)
    client = {
        "client_id": minted(seed, "capsule", "client", 1)[:24],
        "client_secret": minted(seed, "capsule", "client", 2),
    }

    def revoke(call: Call) -> None:
        tokens.revoke_access(call.bearer)

    service = Service(
        system="capsule",
        seed=seed,
        records=store,
        tokens=tokens,
        settings=settings,
        background=background,
        faults=Faults(seed, background, failure, lambda: failure(500), revoke),
        courier=courier,
        gate=Gate(tokens, settings, per_hour),
        refreshes=Refreshes(tokens, settings),
        seeded=lambda: seed_account(account, client["client_id"], seed, records),
        about=lambda: {**_about(store), "oauth": client},
        operations=[*_operations(account, courier), *_oauth(OAuth(account, **client))],
        shown=lambda kind, record: full_view(account, record) if kind == "party" else record,
        hands={"party": _hands(account)},
    )
    service.fill()
    return service


def _hands(account: Account) -> Hands:
    """What the administrator does with parties in Capsule's web interface, and what support does."""

    def remove(party_id: int) -> Record:
        party = account.party(party_id)
        delete(account, party)
        return party

    deeds = {"merge": merge, "restore": restore, "restrict": restrict, "unrestrict": unrestrict}
    return Hands(
        create=lambda draft: create(account, draft, ADMIN_ID),
        edit=lambda party_id, changes: update(account, account.party(party_id), changes),
        remove=remove,
        deeds={name: functools.partial(deed, account) for name, deed in deeds.items()},
    )


def _about(store: Records) -> Record:
    access, personal, read_only = (store.tables["token"][number] for number in (1, 2, 3))
    return {
        "tokens": {
            "access": access["access_token"],
            "refresh": access["refresh_token"],
            "personal": personal["access_token"],
            "read_only": read_only["access_token"],
        },
        "user_id": ADMIN_ID,
        "subdomain": SUBDOMAIN,
    }


def _operations(account: Account, courier: Courier) -> list[Operation]:
    """Fixed paths stand before those with an id in their place."""
    hooks, reads = RestHooks(account, courier), Reference(account)
    table = [
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
    ]
    found = [
        Operation(method, API + path, handler, "read" if method == "GET" else "write")
        for method, path, handler in table
    ]
    return [*found, *_party_operations(account)]


def _party_operations(account: Account) -> list[Operation]:
    parties, definitions, tags = Parties(account), Definitions(account), Tags(account)
    table = [
        ("GET", "/parties", parties.index, "read"),
        ("POST", "/parties", parties.create, "write"),
        ("GET", "/parties/search", parties.search, "read"),
        ("GET", "/parties/deleted", parties.deleted, "read"),
        ("POST", "/parties/filters/results", parties.filtered, "read"),
        ("GET", "/parties/fields/definitions", definitions.index, "read"),
        ("POST", "/parties/fields/definitions", definitions.create, "write"),
        ("GET", "/parties/fields/definitions/{id}", definitions.get, "read"),
        ("PUT", "/parties/fields/definitions/{id}", definitions.update, "write"),
        ("DELETE", "/parties/fields/definitions/{id}", definitions.delete, "write"),
        ("GET", "/parties/tags", tags.index, "read"),
        ("POST", "/parties/tags", tags.create, "write"),
        ("GET", "/parties/tags/{id}", tags.get, "read"),
        ("PUT", "/parties/tags/{id}", tags.update, "write"),
        ("DELETE", "/parties/tags/{id}", tags.delete, "write"),
        ("GET", "/parties/{id}/people", parties.people, "read"),
        ("GET", "/parties/{ids}", parties.get, "read"),
        ("PUT", "/parties/{ids}", parties.update, "write"),
        ("DELETE", "/parties/{ids}", parties.delete, "write"),
        ("GET", "/jobs/{id}", parties.job, "read"),
    ]
    return [Operation(method, API + path, handler, scope) for method, path, handler, scope in table]


def _oauth(oauth: OAuth) -> list[Operation]:
    return [
        Operation("GET", "/oauth/authorise", oauth.authorise, None),
        Operation("POST", "/oauth/token", oauth.token, None, gives_tokens=True),
        Operation("POST", "/oauth/token/revoke", oauth.revoke, None),
        Operation("POST", "/oauth/revoke", oauth.revoke, None),
        Operation("GET", "/.well-known/oauth-authorization-server", oauth.discovery, None),
        Operation("GET", "/.well-known/openid-configuration", oauth.discovery, None),
    ]
