"""Reading a party, reading a client, and looking for clients that may be a party's."""

import pytest
from temporalio.exceptions import ApplicationError

from activities.clients import ClientActivities
from activities.models import ClientKey, LookForClient
from tests.sandboxes import Firm

ADA = {"emailAddresses": [{"type": "Work", "address": "ada@acme.test"}]}


async def look(firm: Firm, *, email: str | None = None, reference: str = "0" * 16) -> list[int]:
    """Return the clients that a search finds."""
    search = LookForClient(key=firm.key(1), email=email, reference=reference)
    return [each.client_id for each in (await firm.run(ClientActivities.look_for_client, search)).clients]


async def test_a_party_is_read_in_the_fields_of_its_client(firm: Firm) -> None:
    """S23, S35, S36."""
    party = await firm.read_party(
        await firm.new_party(type="person", firstName="Ada", lastName="Lund", name=None, **ADA)
    )
    said = {name: party.values[name] for name in ("fname", "lname", "email", "organization")}
    assert said == {"fname": "Ada", "lname": "Lund", "email": "ada@acme.test", "organization": None}


async def test_a_persons_company_becomes_the_organization_of_the_client(firm: Firm) -> None:
    """S24, S37."""
    acme = await firm.new_party(name="Acme Ltd")
    ada = await firm.new_party(type="person", firstName="Ada", name=None, organisation={"id": acme})
    assert (await firm.read_party(ada)).values["organization"] == "Acme Ltd"


async def test_a_party_that_was_deleted_is_no_error(firm: Firm) -> None:
    party_id = await firm.new_party()
    await firm.delete_party(party_id)
    assert not (await firm.read_party(party_id)).exists


async def test_a_change_of_a_mapped_field_gives_a_party_another_fingerprint(firm: Firm) -> None:
    party_id = await firm.new_party(**ADA)
    before = await firm.read_party(party_id)
    await firm.change_party(party_id, name="Acme & Sons")
    assert (await firm.read_party(party_id)).fingerprint != before.fingerprint


async def test_a_change_that_no_client_shows_leaves_the_fingerprint(firm: Firm) -> None:
    party_id = await firm.new_party(**ADA)
    before = await firm.read_party(party_id)
    await firm.change_party(party_id, websites=[{"service": "URL", "address": "https://acme.test"}])
    assert (await firm.read_party(party_id)).fingerprint == before.fingerprint


async def test_a_country_that_nobody_knows_is_refused_by_field_and_without_the_value(firm: Firm) -> None:
    party_id = await firm.new_party(addresses=[{"type": "Office", "country": "United Kingdom"}])
    firm.edit_party(party_id, addresses=[{"id": 1, "type": "Office", "street": None, "country": "Atlantis"}])
    with pytest.raises(ApplicationError) as caught:
        await firm.read_party(party_id)
    assert (caught.value.type, caught.value.non_retryable) == ("Refused", True)
    assert caught.value.details[0][0]["field"] == "p_country"
    assert "Atlantis" not in str(caught.value)


async def test_a_client_is_read_without_our_reference_in_its_note(firm: Firm) -> None:
    client_id = await firm.new_client(organization="Acme", note="pays late\n[ledgerline 0123456789abcdef]")
    client = await firm.run(ClientActivities.read_client, ClientKey(connection=firm.name, client_id=client_id))
    assert (client.values["note"], client.reference) == ("pays late", "0123456789abcdef")


async def test_a_client_deleted_in_freshbooks_is_known_to_be_hidden(firm: Firm) -> None:
    """F18."""
    client_id = await firm.new_client(organization="Acme")
    await firm.change_client(client_id, vis_state=1)
    client = await firm.run(ClientActivities.read_client, ClientKey(connection=firm.name, client_id=client_id))
    assert (client.exists, client.visible) == (True, False)


async def test_a_client_that_never_was_does_not_exist(firm: Firm) -> None:
    client = await firm.run(ClientActivities.read_client, ClientKey(connection=firm.name, client_id=99))
    assert not client.exists


async def test_all_clients_that_share_an_email_address_are_found(firm: Firm) -> None:
    first = await firm.new_client(fname="Ada", email="office@acme.test")
    second = await firm.new_client(fname="Bo", email="Office@Acme.test")
    await firm.new_client(fname="Cy", email="cy@acme.test")
    assert sorted(await look(firm, email="office@acme.test")) == [first, second]


async def test_a_client_is_found_by_our_reference_alone(firm: Firm) -> None:
    marked = await firm.new_client(fname="Ada", note="[ledgerline 0123456789abcdef]")
    await firm.new_client(fname="Bo", note="[ledgerline fedcba9876543210]")
    assert await look(firm, reference="0123456789abcdef") == [marked]
