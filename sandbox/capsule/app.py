"""Puts Capsule's stand-in together: its operations, its seed, its tokens."""

import httpx

from sandbox.background import Background
from sandbox.calls import Call, Operation
from sandbox.capsule.account import ADMIN_ID, ROW_KEYS, SUBDOMAIN, Account
from sandbox.capsule.errors import failure
from sandbox.capsule.gate import Gate
from sandbox.capsule.hands import hands_of
from sandbox.capsule.oauth import LIFETIME, OAuth
from sandbox.capsule.render import full_view
from sandbox.capsule.resthooks import PAUSES, RestHooks
from sandbox.capsule.routes import operations
from sandbox.capsule.seed import seed_account
from sandbox.courier import Courier
from sandbox.faults import Faults
from sandbox.ledger import Ledger, Record
from sandbox.records import Records
from sandbox.refreshes import Refreshes
from sandbox.service import Service
from sandbox.settings import CapsuleSettings
from sandbox.tokens import Tokens, minted


def build_capsule(
    ledger: Ledger,
    *,
    seed: int,
    records: int,
    per_hour: int,
    transport: httpx.AsyncBaseTransport | None,
    opportunities: int = 10,
) -> Service:
    """Return Capsule's stand-in with its state as seed and ledger make it: `records` parties, and so many
    opportunities, if there are parties to have them.
    """
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
        seeded=lambda: seed_account(account, client["client_id"], seed, records, opportunities),
        about=lambda: {**_about(store), "oauth": client},
        operations=[*operations(account, RestHooks(account, courier)), *_oauth(OAuth(account, **client))],
        shown=lambda kind, record: full_view(account, kind, record),
        hands=hands_of(account),
    )
    service.fill()
    return service


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


def _oauth(oauth: OAuth) -> list[Operation]:
    return [
        Operation("GET", "/oauth/authorise", oauth.authorise, None),
        Operation("POST", "/oauth/token", oauth.token, None, gives_tokens=True),
        Operation("POST", "/oauth/token/revoke", oauth.revoke, None),
        Operation("POST", "/oauth/revoke", oauth.revoke, None),
        Operation("GET", "/.well-known/oauth-authorization-server", oauth.discovery, None),
        Operation("GET", "/.well-known/openid-configuration", oauth.discovery, None),
    ]
