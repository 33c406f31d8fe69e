"""Both APIs against the sandbox, which was written from the same facts by other hands."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from connectors import capsule, freshbooks
from connectors.capsule.api import CapsuleApi
from connectors.capsule.hooks import parse_delivery as parse_capsule_delivery
from connectors.errors import ConsentLost, Forbidden, NotFound, Refused, Unauthorized, UnknownOutcome
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.hooks import parse_delivery, parse_fields, verify
from connectors.freshbooks.models import eastern_day
from connectors.http import fixed_token, http_client
from connectors.oauth import Application, OAuth
from tests.connectors.running_sandbox import StandIn, hook_receiver, running_sandbox

SOON = timedelta(seconds=10)


@dataclass(frozen=True)
class Sandbox:
    """Both stand-ins, and APIs that hold one of the tokens they were born with."""

    capsule: StandIn
    freshbooks: StandIn
    http: httpx.AsyncClient

    def crm(self, token: str = "access") -> CapsuleApi:
        return CapsuleApi(self.http, fixed_token(SecretStr(self.capsule.info["tokens"][token])), self.capsule.url, SOON)

    def books(self, token: str = "access") -> FreshBooksApi:
        source = fixed_token(SecretStr(self.freshbooks.info["tokens"][token]))
        return FreshBooksApi(self.http, source, self.freshbooks.info["account_id"], self.freshbooks.url, SOON)


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandIn, StandIn]]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "ledger.jsonl") as both:
        yield both


@pytest.fixture
async def sandbox(stand_ins: tuple[StandIn, StandIn]) -> AsyncIterator[Sandbox]:
    async with http_client() as http:
        yield Sandbox(*stand_ins, http)


async def test_a_party_lives_from_creation_to_deletion(sandbox: Sandbox) -> None:
    """S10, S22, S25, S62."""
    api, started = sandbox.crm(), datetime.now(UTC) - timedelta(seconds=2)
    definition = next(each for each in (await api.party_field_definitions()).items if each.type == "text")
    reference = {"definition": {"id": definition.id}, "value": "ref-4711"}
    emails = [{"type": "Work", "address": "ap@acme.test"}]
    party = await api.create_party(
        {"type": "organisation", "name": "Acme Ltd", "emailAddresses": emails, "fields": [reference]}
    )
    assert await api.get_party(party.id) == party
    found = await api.filter_parties(
        [{"field": f"custom:{definition.id}", "operator": "is", "value": "ref-4711"}], page=1
    )
    assert [each.id for each in found.items] == [party.id]
    assert party.id in [each.id for each in (await api.list_parties(since=started, page=1)).items]
    row = party.email_addresses[0].id
    changed = await api.update_party(party.id, {"emailAddresses": [{"id": row, "address": "books@acme.test"}]})
    assert [each.address for each in changed.email_addresses] == ["books@acme.test"]
    await api.delete_party(party.id)
    with pytest.raises(NotFound):
        await api.get_party(party.id)
    assert party.id in [each.id for each in (await api.deleted_parties(started)).deleted]


async def test_people_come_with_their_organisation(sandbox: Sandbox) -> None:
    """S24, S37."""
    api = sandbox.crm()
    nora = await api.create_party({"type": "person", "firstName": "Nora", "organisation": {"name": "Quist AB"}})
    assert nora.organisation is not None
    assert (await api.get_party(nora.id)).document()["organisation"]["name"] == "Quist AB"
    assert [each.id for each in (await api.people_of(nora.organisation.id, 1)).items] == [nora.id]
    both = await api.get_parties([nora.id, nora.organisation.id])
    assert {each.type for each in both} == {"person", "organisation"}


async def test_all_parties_are_listed_page_by_page(sandbox: Sandbox) -> None:
    """S62."""
    api, seen = sandbox.crm(), list[int]()
    for number in range(1, 50):
        page = await api.list_parties(since=None, page=number, per_page=2)
        seen += [party.id for party in page.items]
        if not page.has_more:
            break
    assert len(seen) >= 3
    assert seen == sorted(set(seen))


async def test_the_accounts_own_lists_are_read(sandbox: Sandbox) -> None:
    api = sandbox.crm()
    assert (await api.current_user()).id in [user.id for user in await api.users()]
    assert "United Kingdom" in [country.name for country in await api.countries()]
    assert "EUR" in [currency.code for currency in await api.currencies()]
    assert (await api.site()).subdomain == "sandbox"


async def test_capsule_refuses_an_unknown_country_by_field(sandbox: Sandbox) -> None:
    """S54."""
    with pytest.raises(Refused, match=r"address\.country") as caught:
        await sandbox.crm().create_party(
            {"type": "organisation", "name": "X", "addresses": [{"country": "Deutschland"}]}
        )
    assert caught.value.problems[0].message == "unknown country"


async def test_a_read_only_token_cannot_write(sandbox: Sandbox) -> None:
    """Z130."""
    with pytest.raises(Forbidden):
        await sandbox.crm("read_only").create_party({"type": "organisation", "name": "X"})
    with pytest.raises(Forbidden):
        await sandbox.books("read_only").create_client({"organization": "X"})


async def test_a_change_in_capsule_is_delivered_as_a_hook(sandbox: Sandbox) -> None:
    """S1."""
    api = sandbox.crm()
    with pytest.raises(Forbidden):
        await sandbox.crm("personal").create_rest_hook("party/created", "https://x.test/hook", "Ledgerline")
    async with hook_receiver() as (address, received):
        hook = await api.create_rest_hook("party/created", address, "Ledgerline")
        assert hook.id in [each.id for each in await api.rest_hooks()]
        party = await api.create_party({"type": "organisation", "name": "Hooked Ltd"})
        delivery = await asyncio.wait_for(received.get(), timeout=10)
        await api.delete_rest_hook(hook.id)
    said = parse_capsule_delivery(delivery.body)
    assert (said.event, said.record_ids) == ("party/created", (party.id,))


async def test_a_client_lives_from_creation_to_archive(sandbox: Sandbox) -> None:
    """S21, S22, F18."""
    api, started = sandbox.books(), datetime.now(UTC).replace(microsecond=0)
    client = await api.create_client({"fname": "Nora", "email": "nora@quist.test", "note": "ref capsule:party:47"})
    other = await api.create_client({"fname": "Nils", "email": "nils@quist.test", "note": "ref capsule:party:4711"})
    assert await api.get_client(client.id) == client
    assert client.updated is not None
    assert started <= client.updated <= datetime.now(UTC)
    assert client.updated == client.signup_date
    assert await api.find_clients_by_email("nora@quist.test") == [client]
    assert await api.find_clients_by_note("capsule:party:47") == [client]
    assert await api.find_clients_by_note("capsule:party:4711") == [other]
    changed = await api.update_client(client.id, {"lname": "Quist"})
    assert (changed.fname, changed.lname) == ("Nora", "Quist")
    assert (await api.set_client_visibility(client.id, 2)).vis_state == 2
    assert [each.id for each in await api.find_clients_by_email("nora@quist.test")] == [client.id]
    await api.set_client_visibility(client.id, 1)
    assert await api.find_clients_by_email("nora@quist.test") == []
    gone = await api.list_clients(page=1, vis_state=1, updated_min=eastern_day(started))
    assert client.id in [each.id for each in gone.items]


async def test_freshbooks_says_which_account_is_ours(sandbox: Sandbox) -> None:
    """Z20."""
    stand_in = sandbox.freshbooks
    stand_in.tell("settings", {"null_account_id": True})
    try:
        membership = (await sandbox.books().identity()).memberships[0]
    finally:
        stand_in.tell("settings", {"null_account_id": False})
    assert (membership.account_id, membership.business_id) == (
        stand_in.info["account_id"],
        stand_in.info["business_id"],
    )


@pytest.mark.parametrize("mode", [{}, {"errors_as_200": True}, {"grpc_errors": True}])
async def test_an_unknown_client_is_not_found_in_every_error_mode(sandbox: Sandbox, mode: dict[str, bool]) -> None:
    """S17."""
    sandbox.freshbooks.tell("settings", mode)
    try:
        with pytest.raises(NotFound) as caught:
            await sandbox.books().get_client(999)
    finally:
        sandbox.freshbooks.tell("settings", dict.fromkeys(mode, False))
    assert (caught.value.problems[0].field, caught.value.problems[0].code) == ("userid", "1012")


async def test_a_plan_without_the_feature_is_a_refusal(sandbox: Sandbox) -> None:
    sandbox.freshbooks.tell("settings", {"feature_gate": True})
    try:
        with pytest.raises(Forbidden, match="12001"):
            await sandbox.books().get_client(999)
    finally:
        sandbox.freshbooks.tell("settings", {"feature_gate": False})


@pytest.mark.faults
async def test_a_client_created_behind_a_cut_connection_is_found_by_its_reference(
    sandbox: Sandbox,
) -> None:
    """F1, F2, F3."""
    api = sandbox.books()
    sandbox.freshbooks.tell(
        "faults", {"method": "POST", "path": "users/clients", "fault": "commit_then_cut", "times": 1}
    )
    with pytest.raises(UnknownOutcome):
        await api.create_client({"fname": "Lost", "note": "ref-in-doubt"})
    assert [each.fname for each in await api.find_clients_by_note("ref-in-doubt")] == ["Lost"]


async def test_freshbooks_hooks_are_verified_and_signed_as_the_recipe_says(sandbox: Sandbox) -> None:
    """S1, Z28."""
    api = sandbox.books()
    async with hook_receiver() as (address, received):
        callback = await api.create_callback("client", address)
        handshake = parse_delivery(parse_fields((await asyncio.wait_for(received.get(), timeout=10)).body))
        assert (handshake.event, handshake.object_id) == ("callback.verify", callback.id)
        assert handshake.verifier is not None
        verifier = handshake.verifier.get_secret_value()
        assert (await api.verify_callback(callback.id, verifier)).verified
        assert [each.id for each in (await api.callbacks()).items] == [callback.id]
        client = await api.create_client({"organization": "Žluťoučký: kůň, s.r.o."})
        delivery = await asyncio.wait_for(received.get(), timeout=10)
        await api.delete_callback(callback.id)
    fields = parse_fields(delivery.body)
    said = parse_delivery(fields)
    assert (said.event, said.object_id, said.account_id) == (
        "client.create",
        client.id,
        sandbox.freshbooks.info["account_id"],
    )
    assert verify(verifier, fields, delivery.headers["x-freshbooks-hmac-sha256"])
    assert not verify("another", fields, delivery.headers["x-freshbooks-hmac-sha256"])


@pytest.mark.parametrize(
    ("which", "scopes"),
    [(0, ["read", "write"]), (1, ["user:profile:read", "user:clients:read"])],
    ids=["capsule", "freshbooks"],
)
async def test_consent_leads_to_tokens_that_rotate_and_can_be_revoked(
    sandbox: Sandbox, which: int, scopes: list[str]
) -> None:
    """S11, F9, Z27, Z113."""
    stand_in = (sandbox.capsule, sandbox.freshbooks)[which]
    provider = (capsule.PROVIDER, freshbooks.PROVIDER)[which]
    registered = stand_in.info["oauth"]
    application = Application(
        registered["client_id"], SecretStr(registered["client_secret"]), "https://books.acme.test/callback"
    )
    api = OAuth(sandbox.http, provider.at(stand_in.url), application)
    consent = api.authorization(scopes)
    redirect = parse_qs(urlsplit((await sandbox.http.get(consent.url)).headers["Location"]).query)
    assert redirect["state"] == [consent.state.get_secret_value()]
    first = await api.exchange(SecretStr(redirect["code"][0]), consent.code_verifier)
    assert first.refresh is not None
    second = await api.refresh(first.refresh)
    assert (second.access != first.access, second.refresh != first.refresh) == (True, True)
    assert second.expires_at > datetime.now(UTC) + timedelta(hours=11)
    with pytest.raises(ConsentLost):
        await api.refresh(first.refresh)
    assert await _who(sandbox, which, second.access)
    await api.revoke(second.access)
    with pytest.raises(Unauthorized):
        await _who(sandbox, which, second.access)


async def _who(sandbox: Sandbox, which: int, token: SecretStr) -> int:
    source = fixed_token(token)
    if which == 0:
        return (await CapsuleApi(sandbox.http, source, sandbox.capsule.url).current_user()).id
    return (await FreshBooksApi(sandbox.http, source, "any", sandbox.freshbooks.url).identity()).id
