"""Connecting an account: a person agrees in the browser, and what comes of it is stored, checked and set up."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

import worker.connect
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.models import Identity, Membership
from connectors.http import http_client
from runtime.opportunities import OpportunitiesFlow
from runtime.ports import free_ports
from runtime.settings import Settings
from sandbox.app import Sandbox, build_sandbox
from sandbox.faults import FaultRule
from store.store import Store, open_store
from store.tokens import NEEDS_CONSENT, USABLE
from tests.consents import registered
from tests.sandboxes import CAPSULE, FRESHBOOKS, Switchboard
from worker.__main__ import wish
from worker.connect import Wish, connect_account, disconnect_account
from worker.redirect import NoRedirect
from worker.session import CannotConnect, Screen

FIELD = "Ledgerline reference"
SECOND = Membership(business_id=2, account_id="zZ9yYx", name="Second Studio", role="owner")
Answer = str | Callable[[], Awaitable[str]]


class Person(Screen):
    """Somebody at a terminal who reads everything, and answers as a test has it."""

    def __init__(self, http: httpx.AsyncClient, *answers: Answer) -> None:
        self._http, self._answers = http, list(answers)
        self.read: list[str] = []
        self.visits: list[int] = []
        self._browsing: asyncio.Task[None] | None = None
        self.before_agreeing: Callable[[str], Awaitable[None]] | None = None

    @property
    def text(self) -> str:
        return "\n".join(self.read)

    def say(self, text: str) -> None:
        self.read.append(text)
        if "of this machine" in text:  # whoever reads this opens the browser
            self._browsing = asyncio.create_task(self._browse())

    async def ask(self, text: str, *, hidden: bool = False) -> str:
        self.read.append(text)
        answer = self._answers.pop(0)
        return answer if isinstance(answer, str) else await answer()

    async def agree(self) -> str:
        """Agree at the system's page, and return the address to which it sends the browser."""
        url = re.findall(r"^https?://\S+", self.text, re.MULTILINE)[-1]
        return str((await self._http.get(url)).headers["location"])

    async def _browse(self) -> None:
        address = await self.agree()
        if self.before_agreeing:
            await self.before_agreeing(address)
        await self.visit(address)

    async def visit(self, address: str) -> None:
        async with httpx.AsyncClient() as browser:
            self.visits.append((await browser.get(address)).status_code)


@dataclass
class Office:
    """An installation whose accounts are registered applications, and both systems."""

    sandbox: Sandbox
    http: httpx.AsyncClient
    settings: Settings
    opened: list[Store] = field(default_factory=list)

    def person(self, *answers: Answer) -> Person:
        return Person(self.http, *answers)

    async def connect(self, system: str, person: Person, **more: Any) -> None:
        assert await connect_account(self.settings, Wish(system, **more), person) == 0

    async def connect_by_paste(self, **more: Any) -> Person:
        """Connect FreshBooks, as it is done where the browser cannot come back to us."""
        person = self.person()
        person._answers.append(person.agree)
        await self.connect("freshbooks", person, paste=True, **more)
        return person

    async def store(self) -> Store:
        store = await open_store(self.settings)
        self.opened.append(store)
        return store

    def with_connection(self, **changes: Any) -> None:
        """Change the settings."""
        connection = self.settings.connections["acme"].model_copy(update=changes)
        self.settings = self.settings.model_copy(update={"connections": {"acme": connection}})

    def fields(self, kind: str = "definition") -> list[str]:
        return [each["name"] for each in self.sandbox.capsule_service.records.all(kind)]


@pytest.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    sandbox = build_sandbox()
    switchboard = Switchboard(capsule=sandbox.capsule, freshbooks=sandbox.freshbooks)
    monkeypatch.setattr(worker.connect, "http_client", lambda: http_client(switchboard))
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    port, temporal = free_ports(2)
    redirect = f"http://127.0.0.1:{port}/connected"
    accounts = {
        "capsule": registered(sandbox.capsule_service, CAPSULE, redirect_uri=redirect),
        "freshbooks": registered(sandbox.freshbooks_service, FRESHBOOKS, redirect_uri="https://localhost/connected"),
        "request_timeout": "3s",
    }
    settings = Settings.model_validate(
        {"data": tmp_path, "temporal": {"port": temporal}, "connections": {"acme": accounts}}
    )
    async with http_client(switchboard) as http:
        opened = Office(sandbox, http, settings)
        yield opened
        for store in opened.opened:
            await store.close()
    await sandbox.close()


async def test_freshbooks_is_connected_by_pasting_the_address_to_which_the_browser_was_sent(office: Office) -> None:
    """S11, Z27: FreshBooks sends the browser to an https address that leads nowhere."""
    person = await office.connect_by_paste()
    account, grant = await (await office.store()).tokens.read("acme", "freshbooks")
    assert account is not None
    assert grant is not None
    assert (account.state, account.version, account.account_id) == (USABLE, 1, "sBx7Qz")
    live = office.sandbox.freshbooks_service.tokens.live(grant.access.get_secret_value())
    assert live is not None
    assert live["scope"] == "user:profile:read user:clients:read user:clients:write"
    assert "FreshBooks of acme is connected (account sBx7Qz)." in person.text


async def test_capsule_sends_the_browser_back_to_this_machine(office: Office) -> None:
    """Z27."""
    person = office.person()
    await office.connect("capsule", person)
    account = await (await office.store()).tokens.account("acme", "capsule")
    assert account is not None
    assert (account.account_id, account.scope) == ("sandbox", "read write")
    assert person.visits == [200]


async def test_nothing_secret_is_shown_or_logged(
    office: Office, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Z137."""
    person = await office.connect_by_paste()
    _, grant = await (await office.store()).tokens.read("acme", "freshbooks")
    assert grant is not None
    assert grant.refresh is not None
    code = office.sandbox.freshbooks_service.tokens._mint("code", 1)
    secret = office.settings.connections["acme"].freshbooks.client_secret
    secrets = [code, *(each.get_secret_value() for each in (grant.access, grant.refresh, secret))]
    captured = capsys.readouterr()
    said = person.text + caplog.text + captured.out + captured.err
    assert not [each for each in secrets if each in said]


async def test_what_the_person_pastes_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Z137: the address holds the code."""
    monkeypatch.setattr("getpass.getpass", lambda text: "pasted ")
    assert await Screen().ask("Paste: ", hidden=True) == "pasted"


async def test_a_terminal_without_a_person_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(text: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(CannotConnect, match="nobody to ask: run this command in a terminal"):
        await Screen().ask("Which account? ")


async def test_a_redirect_with_another_state_changes_nothing(office: Office) -> None:
    """Z130: any page in the person's browser can call our port."""
    person = office.person()

    async def forge(address: str) -> None:
        place = address.partition("?")[0]
        await person.visit(f"{place}?{urlencode({'code': 'stolen', 'state': 'guessed'})}")
        await person.visit(f"{place}?code=stolen")
        await person.visit(address.replace("/connected", "/favicon.ico"))

    person.before_agreeing = forge
    await office.connect("capsule", person)
    assert person.visits == [400, 400, 404, 200]


async def test_a_pasted_address_of_another_attempt_is_refused(office: Office) -> None:
    """Z130."""
    with pytest.raises(NoRedirect, match="belongs to another attempt"):
        await office.connect("freshbooks", office.person("https://localhost/connected?code=abcd&state=other"))
    assert await (await office.store()).tokens.all() == {}


async def test_the_code_alone_will_do(office: Office) -> None:
    person = office.person()

    async def only_the_code() -> str:
        return parse_qs(urlsplit(await person.agree()).query)["code"][0]

    person._answers.append(only_the_code)
    await office.connect("freshbooks", person)
    assert (await (await office.store()).tokens.all())["acme", "freshbooks"].connected


@pytest.mark.parametrize("pasted", ["", "  ", "I agreed", "abc"])
async def test_what_is_no_address_and_no_code_is_refused(office: Office, pasted: str) -> None:
    with pytest.raises(NoRedirect, match="neither an address with a code nor a code"):
        await office.connect("freshbooks", office.person(pasted))


async def test_a_person_who_does_not_agree_is_told_that_nothing_changed(office: Office) -> None:
    person = office.person()

    async def deny() -> str:
        state = parse_qs(urlsplit(await person.agree()).query)["state"][0]
        return f"https://localhost/connected?error=access_denied&state={state}"

    person._answers.append(deny)
    with pytest.raises(CannotConnect, match=r"nobody agreed \(access_denied\); nothing was changed"):
        await office.connect("freshbooks", person)


async def test_nobody_agreeing_is_not_waited_for_for_ever(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.connect, "PATIENCE", 0 * worker.connect.PATIENCE)

    class Away(Person):
        async def _browse(self) -> None:
            return

    with pytest.raises(CannotConnect, match="nobody agreed within ten minutes"):
        await office.connect("capsule", Away(office.http))


async def test_a_port_that_is_taken_is_named(office: Office) -> None:
    port = urlsplit(office.settings.connections["acme"].crm_account.redirect_uri).port
    taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", port)
    async with taken:
        with pytest.raises(NoRedirect, match=rf"cannot listen on 127\.0\.0\.1:{port}.*--paste"):
            await office.connect("capsule", office.person())


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"fault": "commit_then_cut"}, "run the command again"),
        ({"fault": "status", "status": 503}, "FreshBooks"),
    ],
)
async def test_a_code_that_cannot_be_exchanged_leaves_everything_as_it_was(
    office: Office, rule: dict[str, Any], said: str
) -> None:
    office.sandbox.freshbooks_service.faults.add(FaultRule(path="/token$", **rule))
    with pytest.raises(CannotConnect, match=said):
        await office.connect_by_paste()
    assert await (await office.store()).tokens.all() == {}


def other_businesses(monkeypatch: pytest.MonkeyPatch, *others: Membership, role: str = "owner") -> None:
    """Let the person belong to more businesses, and have this role in the first one."""
    plain = FreshBooksApi.identity

    async def identity(api: FreshBooksApi) -> Identity:
        said = await plain(api)
        first = said.memberships[0].model_copy(update={"role": role})
        return said.model_copy(update={"memberships": (first, *others)})

    monkeypatch.setattr(FreshBooksApi, "identity", identity)


async def test_of_several_businesses_the_person_picks_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    other_businesses(monkeypatch, SECOND)
    person = office.person()
    person._answers += [person.agree, "zZ9yYx"]
    await office.connect("freshbooks", person)
    assert "zZ9yYx  Second Studio (owner)" in person.text
    assert (await (await office.store()).tokens.all())["acme", "freshbooks"].account_id == "zZ9yYx"


async def test_the_account_can_be_named_at_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    other_businesses(monkeypatch, SECOND)
    await office.connect_by_paste(account="zZ9yYx")
    assert (await (await office.store()).tokens.all())["acme", "freshbooks"].account_id == "zZ9yYx"


async def test_an_account_that_is_not_the_persons_is_refused(office: Office) -> None:
    with pytest.raises(CannotConnect, match="nobodys is not among the accounts of this person: sBx7Qz"):
        await office.connect_by_paste(account="nobodys")


async def test_the_settings_and_the_command_must_not_contradict_each_other(office: Office) -> None:
    account = office.settings.connections["acme"].freshbooks.model_copy(update={"account_id": "sBx7Qz"})
    office.with_connection(freshbooks=account)
    with pytest.raises(CannotConnect, match="the settings say account sBx7Qz, you said other"):
        await office.connect_by_paste(account="other")


async def test_a_role_that_may_not_write_is_warned_of(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    other_businesses(monkeypatch, role="business_employee")
    assert "your role there is business employee" in (await office.connect_by_paste()).text


async def test_connecting_again_is_for_the_same_account_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """F4: the links belong to the first one."""
    await office.connect_by_paste()
    other_businesses(monkeypatch, SECOND)
    with pytest.raises(CannotConnect, match="connected to the FreshBooks account sBx7Qz, and its links belong"):
        await office.connect_by_paste(account="zZ9yYx")
    account = (await (await office.store()).tokens.all())["acme", "freshbooks"]
    assert (account.version, account.account_id) == (1, "sBx7Qz")


def granting(office: Office, scope: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let FreshBooks grant something else than what was asked for."""
    tokens = office.sandbox.freshbooks_service.tokens
    plain = tokens.new_code

    def new_code(client_id: str, redirect_uri: str, _scope: str, challenge: str, method: str) -> str:
        return plain(client_id, redirect_uri, scope, challenge, method)

    monkeypatch.setattr(tokens, "new_code", new_code)


async def test_less_than_was_asked_for_is_said_with_what_will_not_work(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Z130."""
    granting(office, "user:profile:read user:clients:read", monkeypatch)
    text = (await office.connect_by_paste()).text
    assert "Not granted: user:clients:write. This will not work: creating and changing clients." in text


async def test_more_than_is_needed_is_warned_of(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Z130."""
    scope = "user:profile:read user:clients:read user:clients:write user:payments:write"
    granting(office, scope, monkeypatch)
    assert "Granted although we do not need it: user:payments:write." in (await office.connect_by_paste()).text


async def test_our_custom_field_is_made_once(office: Office) -> None:
    """S26: the parties that we create are found again by it."""
    person = office.person()
    await office.connect("capsule", person)
    assert office.fields().count(FIELD) == 1
    assert f"made the custom field “{FIELD}”" in person.text
    await office.connect("capsule", office.person())
    assert office.fields().count(FIELD) == 1


async def test_a_one_way_connection_needs_no_custom_field(office: Office) -> None:
    """Z130: nothing is made in the CRM that only reads from it."""
    clients = office.settings.connections["acme"].clients.model_copy(update={"direction": "to-books"})
    office.with_connection(clients=clients)
    await office.connect("capsule", office.person())
    assert FIELD not in office.fields()


async def test_a_field_of_that_name_and_another_kind_is_left_alone(office: Office) -> None:
    records = office.sandbox.capsule_service.records
    record = {"id": 99, "name": FIELD, "type": "date", "displayOrder": 99, "important": False}
    records.commit("create", "definition", 99, record)
    person = office.person()
    await office.connect("capsule", person)
    assert office.fields().count(FIELD) == 1
    assert "is no text field; rename it" in person.text


async def test_a_user_who_may_not_make_fields_is_told_who_may(office: Office) -> None:
    rule = FaultRule(method="POST", path="/fields/definitions$", fault="status", status=403)
    office.sandbox.capsule_service.faults.add(rule)
    person = office.person()
    await office.connect("capsule", person)
    assert "have an administrator make a text field" in person.text
    assert (await (await office.store()).tokens.all())["acme", "capsule"].connected


async def test_without_temporal_the_account_is_connected_all_the_same(office: Office) -> None:
    person = await office.connect_by_paste()
    assert "Temporal cannot be reached from here, so webhooks wait: the worker will see to it." in person.text


async def test_a_new_consent_ends_the_loss_of_the_old_one(office: Office) -> None:
    await office.connect_by_paste()
    tokens = (await office.store()).tokens
    account = await tokens.account("acme", "freshbooks")
    assert account is not None
    await tokens.lose(account, "invalid_grant")
    assert (await tokens.all())["acme", "freshbooks"].state == NEEDS_CONSENT
    await office.connect_by_paste()
    after = (await tokens.all())["acme", "freshbooks"]
    assert (after.state, after.version) == (USABLE, 2)


async def test_a_disconnected_account_is_revoked_and_forgotten(office: Office) -> None:
    """Z137: and whoever connects again finds the same account."""
    await office.connect_by_paste()
    store = await office.store()
    _, grant = await store.tokens.read("acme", "freshbooks")
    assert grant is not None
    person = office.person()
    assert await disconnect_account(office.settings, Wish("freshbooks"), person) == 0
    assert office.sandbox.freshbooks_service.tokens.live(grant.access.get_secret_value()) is None
    account, grant = await store.tokens.read("acme", "freshbooks")
    assert account is not None
    assert (account.connected, account.account_id, grant) == (False, "sBx7Qz", None)
    assert "The links stay" in person.text
    await office.connect_by_paste()
    assert (await store.tokens.all())["acme", "freshbooks"].connected


async def test_tokens_that_cannot_be_revoked_are_forgotten_all_the_same(office: Office) -> None:
    await office.connect_by_paste()
    office.sandbox.freshbooks_service.faults.add(FaultRule(path="/revoke$", fault="status", status=503))
    person = office.person()
    await disconnect_account(office.settings, Wish("freshbooks"), person)
    assert "take Ledgerline's access away in FreshBooks itself" in person.text
    assert not (await (await office.store()).tokens.all())["acme", "freshbooks"].connected


async def test_disconnecting_what_is_not_connected_does_nothing(office: Office) -> None:
    person = office.person()
    assert await disconnect_account(office.settings, Wish("capsule"), person) == 0
    assert person.read == ["Capsule of acme is not connected."]


async def test_an_account_with_a_fixed_token_cannot_be_connected(office: Office) -> None:
    office.settings = office.settings.model_validate(
        {
            "data": office.settings.data,
            "connections": {"acme": {"capsule": {"token": "x"}, "freshbooks": {"token": "x", "account_id": "a"}}},
        }
    )
    with pytest.raises(CannotConnect, match=r"connections\.acme\.capsule: has a fixed token; to connect it"):
        await office.connect("capsule", office.person())


@pytest.mark.parametrize(
    ("wished", "said"),
    [
        (Wish("capsule", "berg"), r"there is no connection berg in the settings \(acme\)"),
        (Wish("zoho_crm", "acme"), "acme has no account at zoho_crm, only at capsule, freshbooks"),
        (Wish("zoho_crm"), r"no connection in the settings \(acme\) has an account at zoho_crm"),
        (Wish("capsule", account="a"), "--account is for FreshBooks"),
    ],
)
async def test_a_mistake_on_the_command_line_is_explained(office: Office, wished: Wish, said: str) -> None:
    with pytest.raises(CannotConnect, match=said):
        await connect_account(office.settings, wished, office.person())


async def test_of_several_connections_one_must_be_named(office: Office) -> None:
    acme = office.settings.connections["acme"]
    office.settings = office.settings.model_copy(update={"connections": {"acme": acme, "berg": acme}})
    with pytest.raises(CannotConnect, match=r"say which connection: --connection NAME \(acme, berg\)"):
        await office.connect("capsule", office.person())


def test_what_is_typed_reaches_the_command() -> None:
    typed = ["freshbooks", "--connection", "acme", "--account", "sBx7Qz", "--paste"]
    assert wish("connect", typed) == Wish("freshbooks", "acme", paste=True, account="sBx7Qz")
    assert wish("disconnect", ["capsule"]) == Wish("capsule")


async def test_the_fields_that_show_an_invoice_are_made_once(office: Office) -> None:
    """S38, S64."""
    names = {"number": "Invoice number", "amount": "Invoiced"}
    office.with_connection(opportunities=OpportunitiesFlow.model_validate({"invoice_fields": names}))
    person, again = office.person(), office.person()
    await office.connect("capsule", person)
    assert "Capsule: made the custom field “Invoice number”." in person.text
    await office.connect("capsule", again)
    assert "made the custom field" not in again.text
    assert [each for each in office.fields("opportunity_definition") if each in names.values()] == [
        "Invoice number",
        "Invoiced",
    ]
