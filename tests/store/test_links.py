"""Links: one party has one client, one client has one party, and nobody else can read what was agreed."""

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from runtime.keys import KeyProblem, KeyRing
from store import links as links_module
from store.links import LinkTaken
from store.records import RecordKey
from store.store import Store
from store.tables import LinkRow
from tests.store.records import ACME, NOON, NORDWIND, agreed, created, party, stamps


async def test_a_linked_party_is_found_from_both_sides(store: Store) -> None:
    """S34"""
    await store.links.confirm(ACME, agreed("90210"))
    link = await store.links.of_crm(ACME)
    assert link is not None
    assert (link.books_id, link.state) == ("90210", "active")
    assert await store.links.crm_id_of("acme", "clients", "90210") == "7"


async def test_a_party_that_was_never_synced_has_no_link(sqlite_store: Store) -> None:
    assert await sqlite_store.links.of_crm(ACME) is None
    assert await sqlite_store.links.crm_id_of("acme", "clients", "90210") is None


async def test_a_client_cannot_belong_to_two_parties(store: Store) -> None:
    """F20"""
    await store.links.confirm(ACME, agreed("90210"))
    with pytest.raises(LinkTaken, match="90210 is linked to another record"):
        await store.links.confirm(NORDWIND, agreed("90210"))
    assert await store.links.of_crm(NORDWIND) is None
    assert await store.links.crm_id_of("acme", "clients", "90210") == "7"


async def test_a_refused_link_leaves_no_audit_row_and_keeps_its_intent_open(store: Store) -> None:
    await store.links.confirm(ACME, agreed("90210"))
    intent = await store.intents.reserve(NORDWIND)
    with pytest.raises(LinkTaken):
        await store.links.confirm(NORDWIND, agreed("90210"), audit=created(), intent_id=intent.id)
    assert await store.audit.latest(10) == []
    assert await store.intents.open_one(NORDWIND) is not None


async def test_a_party_confirmed_twice_still_has_one_link(sqlite_store: Store) -> None:
    await sqlite_store.links.confirm(ACME, agreed("90210", name="Acme"))
    await sqlite_store.links.confirm(ACME, agreed("90210", name="Acme Ltd"))
    link = await sqlite_store.links.of_crm(ACME)
    assert link is not None
    assert link.base == {"organization": "Acme Ltd"}
    assert (await sqlite_store.links.standing("acme", "clients")).linked == 1


async def test_the_same_client_number_at_two_firms_is_two_clients(sqlite_store: Store) -> None:
    elsewhere = RecordKey("globex", "clients", "7")
    await sqlite_store.links.confirm(ACME, agreed("90210"))
    await sqlite_store.links.confirm(elsewhere, agreed("90210"))
    assert await sqlite_store.links.crm_id_of("globex", "clients", "90210") == "7"


async def test_link_audit_row_and_end_of_intent_are_saved_together(store: Store) -> None:
    intent = await store.intents.mark_sending(await store.intents.reserve(ACME))
    await store.links.confirm(ACME, agreed("90210"), audit=created(), intent_id=intent.id)
    assert await store.links.of_crm(ACME) is not None
    assert [line.action for line in await store.audit.latest(10)] == ["create"]
    assert await store.intents.open_one(ACME) is None


async def test_a_crash_while_confirming_saves_nothing_and_leaves_the_intent_in_flight(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F41"""
    intent = await store.intents.mark_sending(await store.intents.reserve(ACME))

    async def crash(*_: object) -> None:
        raise ConnectionError("the machine lost power")

    monkeypatch.setattr(links_module, "finish", crash)
    with pytest.raises(ConnectionError):
        await store.links.confirm(ACME, agreed("90210"), audit=created(), intent_id=intent.id)
    assert await store.links.of_crm(ACME) is None
    assert await store.audit.latest(10) == []
    still = await store.intents.open_one(ACME)
    assert still is not None
    assert still.state == "sending"


async def test_after_such_a_crash_the_confirmation_can_be_repeated(sqlite_store: Store) -> None:
    intent = await sqlite_store.intents.mark_sending(await sqlite_store.intents.reserve(ACME))
    with pytest.raises(RuntimeError):
        async with sqlite_store.database.writing() as session:
            session.add(LinkRow(connection="acme", flow="clients", crm_id="7", state="active", **stamps()))
            await session.flush()
            raise RuntimeError("the worker was killed")
    await sqlite_store.links.confirm(ACME, agreed("90210"), audit=created(), intent_id=intent.id)
    assert await sqlite_store.links.crm_id_of("acme", "clients", "90210") == "7"


async def test_the_database_itself_refuses_a_second_link_of_a_party(store: Store) -> None:
    await store.links.confirm(ACME, agreed("90210"))
    with pytest.raises(IntegrityError):
        async with store.database.writing() as session:
            session.add(LinkRow(connection="acme", flow="clients", crm_id="7", state="active", **stamps()))


async def test_only_the_linked_of_the_asked_clients_are_named(store: Store) -> None:
    await store.links.confirm(ACME, agreed("90210"))
    await store.links.confirm(NORDWIND, agreed("90211"))
    await store.links.confirm(RecordKey("globex", "clients", "1"), agreed("90299"))
    assert await store.links.owners("acme", "clients", ["90210", "90299"]) == {"90210": "7"}
    assert await store.links.owners("acme", "clients", []) == {}


async def test_a_sweep_learns_what_was_last_seen_of_the_parties_it_lists(sqlite_store: Store) -> None:
    await sqlite_store.links.confirm(ACME, agreed("90210"))
    assert await sqlite_store.links.seen("acme", "clients", ["7", "8"]) == {"7": ("crm-print", "v1")}


async def test_the_agreed_values_of_one_party_open_nowhere_else(store: Store) -> None:
    """Whoever can write to the database cannot give one customer another customer's values."""
    await store.links.confirm(ACME, agreed("90210", name="Acme Ltd"))
    await store.links.confirm(NORDWIND, agreed("90211", name="Nordwind"))
    async with store.database.writing() as session:
        stolen = await session.scalar(select(LinkRow.sealed_base).where(LinkRow.crm_id == "7"))
        await session.execute(update(LinkRow).where(LinkRow.crm_id == "8").values(sealed_base=stolen))
    with pytest.raises(KeyProblem, match="altered"):
        await store.links.of_crm(NORDWIND)


async def test_another_installations_key_opens_nothing(store: Store, database_url: str) -> None:
    await store.links.confirm(ACME, agreed("90210"))
    stranger = Store(database_url, KeyRing({"k1": bytes(32)}))
    with pytest.raises(KeyProblem):
        await stranger.links.of_crm(ACME)
    await stranger.close()


def test_equal_values_have_equal_fingerprints_whatever_their_order(sqlite_store: Store) -> None:
    links = sqlite_store.links
    first = links.fingerprint({"email": "nora@quist.test", "fname": "Nora"})
    assert first == links.fingerprint({"fname": "Nora", "email": "nora@quist.test"})
    assert first != links.fingerprint({"fname": "Nora", "email": "nora@quist.example"})
    assert first != links.fingerprint({"fname": "Nora", "email": None})


def test_a_fingerprint_cannot_be_made_without_the_key(sqlite_store: Store) -> None:
    """Else whoever reads the database could try out email addresses until one fits."""
    other = Store("sqlite://", KeyRing({"k1": bytes(32)}))
    values = {"email": "nora@quist.test"}
    assert sqlite_store.links.fingerprint(values) != other.links.fingerprint(values)


async def test_the_standing_of_a_flow_counts_links_creations_and_doubts_of_that_flow_only(store: Store) -> None:
    await store.links.confirm(ACME, agreed("90210"))
    await store.links.confirm(RecordKey("globex", "clients", "7"), agreed("90210"))
    await store.intents.reserve(party(11))
    await store.intents.mark_sending(await store.intents.reserve(party(12)))
    doubted = await store.intents.mark_sending(await store.intents.reserve(party(13)))
    await store.intents.doubt(doubted, NOON)
    refused = await store.intents.mark_sending(await store.intents.reserve(party(14)))
    await store.intents.refuse(refused)
    standing = await store.links.standing("acme", "clients")
    assert (standing.linked, standing.creating, standing.in_doubt) == (1, 2, 1)


async def test_a_lost_database_is_not_mistaken_for_a_taken_link(sqlite_store: Store) -> None:
    async with sqlite_store.database.writing() as session:
        await session.execute(text("DROP TABLE links"))
    with pytest.raises(OperationalError):
        await sqlite_store.links.confirm(ACME, agreed("90210"))
