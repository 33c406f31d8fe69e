"""Connecting Zoho CRM: the account's data centre, codes of Zoho's own console, and the field that we make."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

import sandbox.zoho_crm.metadata
import sandbox.zoho_crm.oauth
import worker.connect
from connectors import zoho_crm
from connectors.http import http_client
from connectors.zoho import DATA_CENTRES
from runtime.opportunities import OpportunitiesFlow
from runtime.ports import free_ports
from runtime.settings import Settings
from sandbox.app import Sandbox, build_sandbox
from sandbox.faults import FaultRule
from sandbox.settings import OAuthSettings, ZohoCrmSettings
from store.tokens import USABLE
from tests.consents import registered
from tests.sandboxes import FRESHBOOKS
from tests.worker.test_connect import Office, Person
from worker.__main__ import wish
from worker.connect import Wish, disconnect_account
from worker.session import CannotConnect

FIELD = "Ledgerline_Reference"
ZGID = "600012345"
US_API, US_SANDBOX_API, EU_API = "https://www.zohoapis.com", "https://sandbox.zohoapis.com", "https://www.zohoapis.eu"
SCOPES = [scope.name for scope in zoho_crm.SCOPES]


class Zoho(httpx.AsyncBaseTransport):
    """All of Zoho's own addresses, as one stand-in; everybody else's lead nowhere."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._zoho = httpx.ASGITransport(sandbox.zoho_crm)
        self.called: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self.called.append(f"{request.method} {host}{request.url.path}")
        if not host.startswith(("accounts.zoho.", "www.zohoapis.", "sandbox.zohoapis.")) or host.endswith(".test"):
            raise httpx.ConnectError(f"nobody answers at {host}", request=request)
        return await self._zoho.handle_async_request(request)


@dataclass
class ZohoOffice(Office):
    """An installation whose CRM is Zoho's."""

    internet: Zoho = field(kw_only=True)
    api_domain: str = US_API

    def with_account(self, **changes: Any) -> None:
        """Change the settings of the account."""
        account = self.settings.connections["acme"].crm_account
        self.with_connection(zoho_crm=account.model_copy(update=changes))

    async def connect_zoho(self) -> Person:
        person = self.person()
        await self.connect("zoho_crm", person)
        return person

    async def refused(self, person: Person | None = None, **more: Any) -> str:
        """Return why the account is not connected; nothing was stored."""
        with pytest.raises(CannotConnect) as said:
            await self.connect("zoho_crm", person or self.person(), **more)
        assert await (await self.store()).tokens.all() == {}
        return str(said.value)

    def made(self) -> list[tuple[str, str, str]]:
        """Return module, API name and uniqueness of each field that was made."""
        made = self.sandbox.zoho_crm_service.records.all("field")
        return [(each["module"], each["api_name"], each["unique"]) for each in made]

    def fault(self, **rule: Any) -> None:
        self.sandbox.zoho_crm_service.faults.add(FaultRule(**rule))

    def console_code(self) -> str:
        """Return a code as a person makes it in Zoho's console, where nothing is redirected."""
        client_id = self.sandbox.zoho_crm_service.about()["oauth"]["client_id"]
        return self.sandbox.zoho_crm_service.tokens.new_code(client_id, "", " ".join(SCOPES), "", "offline")


@pytest.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ZohoOffice]:
    stand_in = build_sandbox()
    internet = Zoho(stand_in)
    monkeypatch.setattr(worker.connect, "http_client", lambda: http_client(internet))
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    port, temporal = free_ports(2)
    application = stand_in.zoho_crm_service.about()["oauth"]
    accounts = {
        "zoho_crm": {**application, "redirect_uri": f"http://127.0.0.1:{port}/connected"},
        "freshbooks": registered(stand_in.freshbooks_service, FRESHBOOKS, redirect_uri="https://localhost/connected"),
        "request_timeout": "3s",
    }
    settings = Settings.model_validate(
        {"data": tmp_path, "temporal": {"port": temporal}, "connections": {"acme": accounts}}
    )
    async with http_client(internet) as http:
        opened = ZohoOffice(stand_in, http, settings, internet=internet)
        plain = sandbox.zoho_crm.oauth._view
        monkeypatch.setattr(
            sandbox.zoho_crm.oauth,
            "_view",
            lambda *given, **more: {**plain(*given, **more), "api_domain": opened.api_domain},
        )
        yield opened
        for store in opened.opened:
            await store.close()
    await stand_in.close()


def sent_back_with(person: Person, **said: str) -> Callable[[], Awaitable[str]]:
    """Return what the person pastes whose browser Zoho sends back with this beside the code."""

    async def pasted() -> str:
        asked = parse_qs(urlsplit(person.text.split("\n\n")[1]).query)
        query = {"state": asked["state"][0], "code": "1000.code", **said}
        return f"{asked['redirect_uri'][0]}?{urlencode(query)}"

    return pasted


async def test_a_person_agrees_and_the_account_is_known_by_its_organisation(office: ZohoOffice) -> None:
    """Z27: the redirect says where the account is, and what is stored works there."""
    person = office.person()
    redirects: list[str] = []

    async def look(address: str) -> None:
        redirects.append(address)

    person.before_agreeing = look
    await office.connect("zoho_crm", person)
    query = parse_qs(urlsplit(redirects[0]).query)
    assert (query["location"], query["accounts-server"]) == (["us"], ["https://accounts.zoho.com"])
    assert person.visits == [200]
    account, granted = await (await office.store()).tokens.read("acme", "zoho_crm")
    assert account is not None
    assert granted is not None
    assert granted.refresh is not None
    assert (account.state, account.version, account.account_id) == (USABLE, 1, ZGID)
    live = office.sandbox.zoho_crm_service.tokens.live(granted.access.get_secret_value())
    assert live is not None
    assert live["scope"].split() == SCOPES
    assert f"Zoho CRM of acme is connected (account {ZGID})." in person.text
    assert "ranted" not in person.text, "neither too little nor too much"


async def test_nothing_secret_is_shown(office: ZohoOffice, capsys: pytest.CaptureFixture[str]) -> None:
    """Z137."""
    person = await office.connect_zoho()
    _, granted = await (await office.store()).tokens.read("acme", "zoho_crm")
    assert granted is not None
    assert granted.refresh is not None
    secrets = [granted.access, granted.refresh, office.settings.connections["acme"].crm_account.client_secret]
    said = person.text + "".join(capsys.readouterr())
    assert not [each for each in secrets if each.get_secret_value() in said]


async def test_a_self_client_needs_no_redirect_but_a_code_of_zohos_console(office: ZohoOffice) -> None:
    """Z27: for an installation that no browser can come back to."""
    office.with_account(redirect_uri="")
    person = office.person(office.console_code())
    await office.connect("zoho_crm", person)
    assert ",".join(SCOPES) in person.text
    assert "Generate Code" in person.text
    assert not [each for each in office.internet.called if each.endswith("/oauth/v2/auth")]
    assert (await (await office.store()).tokens.all())["acme", "zoho_crm"].account_id == ZGID


async def test_a_code_of_the_console_that_is_too_old_says_so(office: ZohoOffice) -> None:
    office.with_account(redirect_uri="")
    assert "invalid_code" in await office.refused(office.person("1000.an.old.code"))


@pytest.mark.parametrize(
    "said",
    [{"accounts-server": "https://accounts.zoho.eu", "location": "eu"}, {"location": "eu"}],
    ids=["both", "name"],
)
async def test_an_account_in_another_data_centre_stops_with_the_line_to_write(
    office: ZohoOffice, said: dict[str, str]
) -> None:
    """Z27: a token of one is worth nothing in another, and neither may be the secret."""
    person = office.person()
    person._answers.append(sent_back_with(person, **said))
    text = await office.refused(person, paste=True)
    assert "write `data_centre: eu` under connections.acme.zoho_crm and run the command again" in text
    assert office.internet.called == []


async def test_with_that_line_the_other_data_centre_is_asked(office: ZohoOffice) -> None:
    office.with_account(data_centre="eu")
    office.api_domain = EU_API
    await office.connect_zoho()
    hosts = {each.split(" ")[1].partition("/")[0] for each in office.internet.called}
    assert hosts == {"accounts.zoho.eu", "www.zohoapis.eu"}


async def test_tokens_of_a_sandbox_edition_stop_with_the_line_to_write(office: ZohoOffice) -> None:
    """Z146: the edition is seen by the address that comes with the tokens."""
    office.api_domain = US_SANDBOX_API
    assert f"write `base_url: {US_SANDBOX_API}` under connections.acme.zoho_crm" in await office.refused()
    assert not [each for each in office.internet.called if "zohoapis" in each]
    office.with_account(base_url=US_SANDBOX_API)
    await office.connect_zoho()
    assert [each for each in office.internet.called if "zohoapis" in each]
    assert not [each for each in office.internet.called if "www.zohoapis" in each]


async def test_tokens_of_production_stop_a_connection_with_a_sandbox_edition(office: ZohoOffice) -> None:
    office.with_account(base_url=US_SANDBOX_API)
    assert "write `data_centre: us` in place of `base_url` under connections.acme" in await office.refused()


@pytest.mark.parametrize("server", ["https://accounts.zoho.com.evil.test", "http://127.0.0.1:1", "https://evil.test"])
async def test_a_redirect_that_names_a_strangers_server_is_refused_and_our_secret_not_sent(
    office: ZohoOffice, server: str
) -> None:
    """Z130."""
    person = office.person()
    person._answers.append(sent_back_with(person, location="us", **{"accounts-server": server}))
    text = await office.refused(person, paste=True)
    assert "not known to be Zoho's, so nothing was sent to it" in text
    assert office.internet.called == []


async def test_a_wrong_client_secret_says_what_to_check(office: ZohoOffice) -> None:
    """S17: some data centres have secrets of their own."""
    office.with_account(client_secret=office.settings.connections["acme"].freshbooks.client_secret)
    assert "check client id and secret in the settings, and that the client serves" in await office.refused()


async def test_our_field_is_made_in_both_modules_and_once(office: ZohoOffice) -> None:
    """Z35: unique, so that creating a record twice changes one."""
    person = await office.connect_zoho()
    assert office.made() == [("Contacts", FIELD, "insensitive"), ("Accounts", FIELD, "insensitive")]
    assert f"Zoho CRM: made the custom field “Contacts.{FIELD}”." in person.text
    again = await office.connect_zoho()
    assert len(office.made()) == 2
    assert "custom field" not in again.text


async def test_the_fields_of_deals_that_show_an_invoice_are_made_once(office: ZohoOffice) -> None:
    """Z141, S64."""
    names = {"number": "Invoice_No", "status": "Invoice_Status"}
    office.with_connection(opportunities=OpportunitiesFlow.model_validate({"invoice_fields": names}))
    await office.connect_zoho()
    await office.connect_zoho()
    assert [name for module, name, _ in office.made() if module == "Deals"] == ["Invoice_No", "Invoice_Status"]


async def test_a_one_way_connection_makes_no_field(office: ZohoOffice) -> None:
    """Z130."""
    clients = office.settings.connections["acme"].clients.model_copy(update={"direction": "to-books"})
    office.with_connection(clients=clients)
    await office.connect_zoho()
    assert office.made() == []


async def test_a_user_who_may_not_make_fields_is_told_what_to_have_made(office: ZohoOffice) -> None:
    office.fault(method="POST", path="/settings/fields$", fault="status", status=403)
    person = await office.connect_zoho()
    wanted = f"“Contacts.{FIELD}” and “Accounts.{FIELD}”"
    assert f"have an administrator make a single-line field without duplicate values {wanted}." in person.text
    assert (await (await office.store()).tokens.all())["acme", "zoho_crm"].connected


async def test_where_fields_cannot_be_made_by_program_a_person_is_told_to(office: ZohoOffice) -> None:
    """How fields are made is not certain enough to depend on it."""
    knobs = office.sandbox.zoho_crm_service.settings
    assert isinstance(knobs, ZohoCrmSettings)
    knobs.fields_api = False
    person = await office.connect_zoho()
    assert (
        f"make a single-line field without duplicate values “Contacts.{FIELD}” and “Accounts.{FIELD}” by" in person.text
    )


async def test_a_field_that_zoho_names_otherwise_than_expected_is_not_taken_for_ours(office: ZohoOffice) -> None:
    """F5: else parties would be created without anything to know them by."""
    clients = office.settings.connections["acme"].clients.model_copy(update={"reference_field": "Our__Reference"})
    office.with_connection(clients=clients)
    person = await office.connect_zoho()
    assert (
        "under another API name than Contacts.Our__Reference: set `clients.reference_field` to that one" in person.text
    )


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"data_type": "text"}, f"“Contacts.{FIELD}” is not unique"),
        (
            {"data_type": "integer", "unique": {"casesensitive": False}},
            f"“Contacts.{FIELD}” is no text field; rename it",
        ),
    ],
    ids=["not unique", "a number"],
)
async def test_a_field_of_that_name_that_will_not_do_is_left_alone(
    office: ZohoOffice, made: dict[str, Any], said: str
) -> None:
    hands = office.sandbox.zoho_crm_service.hands["field"]
    hands.create({"module": "Contacts", "field_label": "Ledgerline Reference", **made})
    person = await office.connect_zoho()
    assert said in person.text
    assert [module for module, *_ in office.made()] == ["Contacts", "Accounts"]


async def test_what_was_not_granted_is_said_with_what_will_not_work(office: ZohoOffice) -> None:
    """Z130."""
    fewer = [each for each in SCOPES if "notifications" not in each]
    office.sandbox.zoho_crm_service.settings.oauth = OAuthSettings(scopes=fewer)
    text = (await office.connect_zoho()).text
    assert "Not granted: ZohoCRM.notifications.ALL. This will not work: hearing of changes at once." in text


async def test_connecting_again_is_for_the_same_organisation_only(
    office: ZohoOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F4: the links belong to the first one."""
    await office.connect_zoho()
    monkeypatch.setattr(sandbox.zoho_crm.metadata, "ZGID", "600099999")
    with pytest.raises(CannotConnect, match=f"connected to the Zoho CRM account {ZGID}, and its links belong"):
        await office.connect_zoho()
    assert (await (await office.store()).tokens.all())["acme", "zoho_crm"].account_id == ZGID


async def test_a_disconnected_account_is_revoked_and_forgotten(office: ZohoOffice) -> None:
    """Z137."""
    await office.connect_zoho()
    _, granted = await (await office.store()).tokens.read("acme", "zoho_crm")
    assert granted is not None
    person = office.person()
    assert await disconnect_account(office.settings, Wish("zoho_crm"), person) == 0
    assert office.sandbox.zoho_crm_service.tokens.live(granted.access.get_secret_value()) is None
    account = (await (await office.store()).tokens.all())["acme", "zoho_crm"]
    assert (account.connected, account.account_id) == (False, ZGID)
    assert person.read == ["Zoho CRM of acme is disconnected. The links stay: connecting again creates nothing twice."]


@pytest.mark.parametrize("command", ["connect", "disconnect"])
def test_zoho_is_short_for_zoho_crm(command: str) -> None:
    assert wish(command, ["zoho"]) == wish(command, ["zoho_crm"]) == Wish("zoho_crm")


PAGE = (Path(__file__).parents[2] / "docs" / "connecting.md").read_text(encoding="utf-8")


def test_the_page_names_every_right_and_every_data_centre() -> None:
    """Z130: whoever registers a client reads there what to allow, and why."""
    assert [each for each in SCOPES if f"`{each}`" not in PAGE] == []
    centres = PAGE.partition("data_centre: eu ")[2].splitlines()[0]
    assert [each for each in DATA_CENTRES if not re.search(rf"\b{each}\b", centres)] == []
