"""Puts Zoho CRM's stand-in together: its operations, its seed, its tokens."""

import functools
from typing import Any

import httpx

from sandbox.background import Background
from sandbox.calls import Call, Operation, Refusal
from sandbox.courier import Courier
from sandbox.faults import Faults
from sandbox.hands import Hands
from sandbox.ledger import Ledger, Record
from sandbox.records import Records
from sandbox.refreshes import Refreshes
from sandbox.service import Service
from sandbox.settings import ZohoCrmSettings
from sandbox.tokens import Tokens, minted
from sandbox.zoho_crm.account import API, PERSON, SYNC_USER, ZGID, Account
from sandbox.zoho_crm.errors import failure, hidden_failure
from sandbox.zoho_crm.gate import SCHEME, Gate
from sandbox.zoho_crm.lifecycle import Conversion, convert, merge, purge, restore
from sandbox.zoho_crm.metadata import Metadata, make_field
from sandbox.zoho_crm.modules import MODULES
from sandbox.zoho_crm.notes import KIND as NOTES
from sandbox.zoho_crm.notes import Notes, note_hands, note_view
from sandbox.zoho_crm.notices import PAUSES, Notices
from sandbox.zoho_crm.oauth import CODE_LIFE, LIFETIME, OAuth, mint
from sandbox.zoho_crm.pipelines import Pipelines, pipeline_hands, stage_hands
from sandbox.zoho_crm.queries import Queries
from sandbox.zoho_crm.reads import Reads
from sandbox.zoho_crm.render import full_view
from sandbox.zoho_crm.search import Search
from sandbox.zoho_crm.seed import seed_account
from sandbox.zoho_crm.watch import Watch
from sandbox.zoho_crm.writes import Writes
from sandbox.zoho_crm.writing import FIRST, create, delete, update

SEARCH = "ZohoSearch.securesearch.READ"


def build_zoho_crm(ledger: Ledger, *, seed: int, records: int, transport: httpx.AsyncBaseTransport | None) -> Service:
    """Return Zoho CRM's stand-in with its state as seed and ledger make it."""
    store = Records("zoho_crm", seed, ledger, {})
    settings, background = ZohoCrmSettings(), Background()
    tokens = Tokens(store, lambda kind, number: mint(seed, kind, number), LIFETIME, settings, CODE_LIFE)
    account = Account(store, tokens, settings, seed)
    courier = Courier(seed, PAUSES, settings, background, transport)
    client = {
        "client_id": f"1000.{minted(seed, 'zoho_crm', 'client', 1)[:30].upper()}",
        "client_secret": minted(seed, "zoho_crm", "client", 2)[:42],
    }
    gate, oauth = Gate(tokens, settings), OAuth(account, **client)

    def seeded() -> None:
        oauth.forget()
        seed_account(account, client["client_id"], seed, records)

    def revoke(call: Call) -> None:
        tokens.revoke_access(call.credential(SCHEME))

    def about() -> Record:
        counts = {"credits_used": gate.used(), "workflow_runs": account.workflow_runs}
        return {**_about(store), "oauth": client, **counts}

    service = Service(
        system="zoho_crm",
        seed=seed,
        records=store,
        tokens=tokens,
        settings=settings,
        background=background,
        faults=Faults(seed, background, failure, hidden_failure, revoke),
        courier=courier,
        gate=gate,
        refreshes=Refreshes(tokens, settings),
        seeded=seeded,
        about=about,
        operations=[*_operations(account, Notices(account, courier)), *_oauth(oauth)],
        shown=lambda kind, record: _shown(account, kind, record),
        hands=_hands(account),
        under_way=gate.under_way,
    )
    service.fill()
    return service


def _shown(account: Account, kind: str, record: Record) -> Record:
    if kind == NOTES:
        return note_view(account, record)
    return full_view(account, kind, record) if kind in MODULES else record


def _hands(account: Account) -> dict[str, Hands]:
    """What a colleague does with records in Zoho CRM's web interface, and an administrator with fields and stages."""
    hands = {module: _hands_on(account, module) for module in MODULES}

    def make(draft: Record) -> Record:
        module = draft.get("module")
        if not isinstance(module, str) or module not in MODULES:
            raise Refusal(422, {"error": f"`module` is one of {', '.join(MODULES)}"})
        return make_field(account, module, draft, FIRST)

    def keep(*_: Any) -> Record:
        raise Refusal(422, {"error": "a field can only be made"})

    arranged = {"stage": stage_hands(account), "pipeline": pipeline_hands(account)}
    return {**hands, **arranged, NOTES: note_hands(account), "field": Hands(create=make, edit=keep, remove=keep)}


def _hands_on(account: Account, module: str) -> Hands:
    def known(record_id: int) -> Record:
        record = account.get(module, record_id)
        if record is None:
            raise Refusal(404, {"error": f"there is no record {record_id} in {module}"})
        return record

    deeds = {"merge": merge, "restore": restore, "purge": purge}
    named = {name: functools.partial(deed, account, module) for name, deed in deeds.items()}

    def convert_lead(record_id: int, body: Record) -> Record:
        convert(account, known(record_id), body, PERSON)
        return known(record_id)

    return Hands(
        create=lambda draft: create(account, module, draft, PERSON),
        edit=lambda record_id, changes: update(account, module, known(record_id), changes, PERSON),
        remove=lambda record_id: delete(account, module, known(record_id), PERSON),
        deeds={**named, **({"convert": convert_lead} if module == "Leads" else {})},
    )


def _about(store: Records) -> Record:
    access, read_only = (store.tables["token"][number] for number in (1, 2))
    return {
        "tokens": {
            "access": access["access_token"],
            "refresh": access["refresh_token"],
            "read_only": read_only["access_token"],
        },
        "user_id": str(SYNC_USER),
        "zgid": ZGID,
    }


def _operations(account: Account, notices: Notices) -> list[Operation]:
    """Fixed paths stand before those with a module in their place."""
    metadata, watch, pipelines = Metadata(account), Watch(account, notices), Pipelines(account)
    table = [
        ("GET", "/settings/modules", metadata.modules, "settings.modules.READ"),
        ("GET", "/settings/fields", metadata.fields, "settings.fields.READ"),
        ("POST", "/settings/fields", metadata.make_fields, "settings.fields.CREATE"),
        ("GET", "/settings/layouts", pipelines.layouts, "settings.layouts.READ"),
        ("GET", "/settings/pipeline", pipelines.pipelines, "settings.pipeline.READ"),
        ("GET", "/users", metadata.users, "users.READ"),
        ("GET", "/users/{id}", metadata.user, "users.READ"),
        ("GET", "/org", metadata.organisation, "org.READ"),
        ("POST", "/coql", Queries(account).run, "coql.READ"),
        ("GET", "/actions/watch", watch.index, "notifications.READ"),
        ("POST", "/actions/watch", watch.enable, "notifications.CREATE"),
        ("PUT", "/actions/watch", watch.replace, "notifications.UPDATE"),
        ("PATCH", "/actions/watch", watch.change, "notifications.UPDATE"),
        ("DELETE", "/actions/watch", watch.disable, "notifications.DELETE"),
        ("POST", "/Leads/{id}/actions/convert", Conversion(account, notices).convert, "modules.Leads.CREATE"),
    ]
    found = [Operation(method, API + path, handler, f"ZohoCRM.{scope}") for method, path, handler, scope in table]
    return [*found, *_record_operations(account, notices)]


def _record_operations(account: Account, notices: Notices) -> list[Operation]:
    reads, writes, search = Reads(account), Writes(account, notices), Search(account)
    table = [
        ("GET", "", reads.index, "READ"),
        ("POST", "", writes.insert, "CREATE"),
        ("PUT", "", writes.update_many, "UPDATE"),
        ("DELETE", "", writes.delete_many, "DELETE"),
        ("POST", "/upsert", writes.upsert, "CREATE"),
        ("GET", "/deleted", reads.deleted, "READ"),
        ("GET", "/search", search.search, f"READ {SEARCH}"),
        ("GET", "/actions/count", search.count, f"READ {SEARCH}"),
        ("GET", "/{id}", reads.get, "READ"),
        ("PUT", "/{id}", writes.update, "UPDATE"),
        ("DELETE", "/{id}", writes.delete, "DELETE"),
    ]
    path, scope = f"{API}/{{module}}", "ZohoCRM.modules.{module}."
    notes = Notes(account)
    related = [
        Operation(method, f"{path}/{{id}}/{NOTES}", handler, f"{scope}{right} ZohoCRM.modules.{NOTES}.{right}")
        for method, handler, right in (("GET", notes.index, "READ"), ("POST", notes.create, "CREATE"))
    ]
    found = [Operation(method, path + end, handler, scope + operation) for method, end, handler, operation in table]
    return [*found, *related]


def _oauth(oauth: OAuth) -> list[Operation]:
    return [
        Operation("GET", "/oauth/v2/auth", oauth.authorise, None),
        Operation("POST", "/oauth/v2/token", oauth.token, None, gives_tokens=True),
        Operation("POST", "/oauth/v2/token/revoke", oauth.revoke, None),
        Operation("GET", "/oauth/serverinfo", oauth.server_info, None),
    ]
