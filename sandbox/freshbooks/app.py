"""Puts FreshBooks' stand-in together: its operations, its seed, its tokens."""

import functools

import httpx

from sandbox.background import Background
from sandbox.calls import Call, Operation
from sandbox.courier import Courier
from sandbox.faults import Faults
from sandbox.freshbooks import client_write
from sandbox.freshbooks.account import ACCOUNT_ID, BUSINESS_ID, IDENTITY_ID, ROW_KEYS, Account
from sandbox.freshbooks.books import Books
from sandbox.freshbooks.callbacks import Callbacks
from sandbox.freshbooks.clients import Clients
from sandbox.freshbooks.errors import failure, hidden_failure
from sandbox.freshbooks.events import PAUSES, Events
from sandbox.freshbooks.gate import Gate
from sandbox.freshbooks.generator import fill_books
from sandbox.freshbooks.hours import Hours
from sandbox.freshbooks.hours_generator import seed_hours
from sandbox.freshbooks.identity import Identity
from sandbox.freshbooks.oauth import ALL_SCOPES, ALWAYS_GRANTED, LIFETIME, READ_SCOPES, OAuth, mint
from sandbox.hands import Hands
from sandbox.ledger import Ledger, Record
from sandbox.records import Records
from sandbox.refreshes import Refreshes
from sandbox.service import Service
from sandbox.settings import FreshBooksSettings
from sandbox.tokens import Tokens, minted

FIRST_IDS = {"client": 330_101, "callback": 2001, "row": 71_001}


def build_freshbooks(
    ledger: Ledger,
    *,
    seed: int,
    per_minute: int,
    transport: httpx.AsyncBaseTransport | None,
    filled: bool = False,
    time_entries: int = 0,
) -> Service:
    """Return FreshBooks' stand-in with its state as seed and ledger make it; with items and taxes if `filled`, and with
    so many time entries and the clients, projects and services that they are about.
    """
    store = Records("freshbooks", seed, ledger, ROW_KEYS)
    settings, background = FreshBooksSettings(), Background()
    tokens = Tokens(store, lambda kind, number: mint(seed, kind, number), LIFETIME, settings)
    account = Account(store, tokens, settings, seed)
    books, hours = Books(account), Hours(account)
    courier = Courier(seed, PAUSES, settings, background, transport)
    client = {
        "client_id": minted(seed, "freshbooks", "client", 1),
        "client_secret": minted(seed, "freshbooks", "client", 2),
    }

    def seeded() -> None:
        for kind, first in FIRST_IDS.items():
            store.start_ids(kind, first)
        tokens.seed(" ".join(ALL_SCOPES), client_id=client["client_id"], user_id=IDENTITY_ID, role="owner")
        tokens.seed(" ".join(READ_SCOPES), client_id=None, user_id=IDENTITY_ID, role="owner")
        if filled:
            fill_books(account)
        if time_entries:
            seed_hours(account, time_entries)

    def revoke(call: Call) -> None:
        tokens.revoke_access(call.bearer)

    service = Service(
        system="freshbooks",
        seed=seed,
        records=store,
        tokens=tokens,
        settings=settings,
        background=background,
        faults=Faults(seed, background, failure, hidden_failure, revoke),
        courier=courier,
        gate=Gate(tokens, settings, per_minute),
        refreshes=Refreshes(tokens, settings),
        seeded=seeded,
        about=lambda: {**_about(account), "oauth": client},
        operations=[*_operations(account, courier, OAuth(account, **client)), *books.operations(), *hours.operations()],
        hands={"client": _hands(account), **books.hands(), **hours.hands()},
    )
    service.fill()
    return service


def _hands(account: Account) -> Hands:
    """What the owner does with clients in FreshBooks' web interface."""
    return Hands(
        create=lambda draft: client_write.create(account, draft, str(draft.get("accounting_systemid", ACCOUNT_ID))),
        edit=functools.partial(client_write.edit, account),
        remove=functools.partial(client_write.remove, account),
    )


def _about(account: Account) -> Record:
    access, read_only = (account.records.tables["token"][number] for number in (1, 2))
    return {
        "tokens": {
            "access": access["access_token"],
            "refresh": access["refresh_token"],
            "read_only": read_only["access_token"],
        },
        "account_id": ACCOUNT_ID,
        "business_id": BUSINESS_ID,
        "business_uuid": account.business_uuid(),
        "identity_id": IDENTITY_ID,
    }


def _operations(account: Account, courier: Courier, oauth: OAuth) -> list[Operation]:
    clients, callbacks = Clients(account), Callbacks(account, Events(account, courier))
    client_path = "/accounting/account/{account}/users/clients"
    callback_path = "/events/account/{account}/events/callbacks"
    table = [
        ("GET", "/auth/api/v1/users/me", Identity(account).me, ALWAYS_GRANTED),
        ("GET", client_path, clients.index, "user:clients:read"),
        ("POST", client_path, clients.create, "user:clients:write"),
        ("GET", f"{client_path}/{{id}}", clients.get, "user:clients:read"),
        ("PUT", f"{client_path}/{{id}}", clients.update, "user:clients:write"),
        ("GET", callback_path, callbacks.index, ALWAYS_GRANTED),
        ("POST", callback_path, callbacks.create, ALWAYS_GRANTED),
        ("GET", f"{callback_path}/{{id}}", callbacks.get, ALWAYS_GRANTED),
        ("PUT", f"{callback_path}/{{id}}", callbacks.update, ALWAYS_GRANTED),
        ("DELETE", f"{callback_path}/{{id}}", callbacks.delete, ALWAYS_GRANTED),
    ]
    found = [Operation(method, path, handler, scope) for method, path, handler, scope in table]
    return [*found, *_oauth(oauth)]


def _oauth(oauth: OAuth) -> list[Operation]:
    """The consent page lives on a host of its own, and everything has an alias there: one port serves them all."""
    roots = ("/oauth", "/auth/oauth", "/service/auth/oauth")
    pages = [Operation("GET", f"{root}/authorize{end}", oauth.authorize, None) for root in roots for end in ("", "/")]
    tokens = [Operation("POST", f"{root}/token", oauth.token, None, gives_tokens=True) for root in roots[1:]]
    return [*pages, *tokens, *(Operation("POST", f"{root}/revoke", oauth.revoke, None) for root in roots[1:])]
