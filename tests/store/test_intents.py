"""Intents: a record is created once, however many workers want to create it and however badly a request ends."""

import asyncio
from datetime import timedelta

import pytest

from store.intents import FenceLost, Intent
from store.records import RecordKey
from store.store import Store
from tests.databases import TEST_KEYS
from tests.store.records import ACME, NOON, NORDWIND, agreed, party

LATER = NOON + timedelta(minutes=1)


async def state_of(store: Store, key: RecordKey = ACME) -> str | None:
    """Return the state of the record's open intent, None if none is open."""
    intent = await store.intents.open_one(key)
    return intent.state if intent else None


async def sent(store: Store, key: RecordKey = ACME) -> Intent:
    """Return an intent whose request is on its way."""
    return await store.intents.mark_sending(await store.intents.reserve(key))


async def doubted(store: Store, key: RecordKey = ACME) -> Intent:
    """Return an intent whose request ended without an answer."""
    await store.intents.doubt(await sent(store, key), LATER)
    found = await store.intents.open_one(key)
    assert found is not None
    return found


async def apply(store: Store, change: str, intent: Intent) -> None:
    """Try to change the state of an intent."""
    changes = {
        "release": store.intents.release,
        "refuse": store.intents.refuse,
        "reopen": store.intents.reopen,
        "mark_sending": store.intents.mark_sending,
    }
    if change == "doubt":
        await store.intents.doubt(intent, LATER)
    else:
        await changes[change](intent)


async def test_twenty_workers_that_want_to_create_one_client_share_one_intent(store: Store, database_url: str) -> None:
    """F6, F41"""
    others = Store(database_url, TEST_KEYS)  # a second process's connections
    reservers = [(store, others)[number % 2].intents.reserve(ACME) for number in range(20)]
    reserved = await asyncio.gather(*reservers)
    await others.close()
    assert len({intent.id for intent in reserved}) == 1
    assert (await store.links.standing("acme", "clients")).creating == 1


async def test_of_twenty_workers_with_one_intent_only_one_may_send(store: Store) -> None:
    """F6, F41"""
    intent = await store.intents.reserve(ACME)
    answers = await asyncio.gather(*(store.intents.mark_sending(intent) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(answer, Intent) for answer in answers) == 1
    assert sum(isinstance(answer, FenceLost) for answer in answers) == 19


async def test_different_parties_have_intents_of_their_own(store: Store) -> None:
    reserved = await asyncio.gather(*(store.intents.reserve(party(number)) for number in range(10)))
    assert len({intent.id for intent in reserved}) == 10
    assert len({intent.reference for intent in reserved}) == 10


async def test_a_new_intent_is_reserved_and_nothing_was_sent(sqlite_store: Store) -> None:
    intent = await sqlite_store.intents.reserve(ACME)
    assert (intent.state, intent.fence, intent.sent_at, intent.settle_until) == ("reserved", 0, None, None)


async def test_the_moment_of_sending_is_kept(store: Store) -> None:
    intent = await sent(store)
    assert await store.intents.open_one(ACME) == intent
    assert intent.sent_at is not None


async def test_an_overtaken_worker_must_not_send(store: Store) -> None:
    """F1: it slept between reserving and sending; meanwhile another looked again and took the intent over."""
    slow = await store.intents.reserve(ACME)
    taken_over = await store.intents.reopen(slow)
    with pytest.raises(FenceLost, match="no longer ours to send"):
        await store.intents.mark_sending(slow)
    assert (await store.intents.mark_sending(taken_over)).state == "sending"


async def test_what_an_overtaken_worker_reports_about_its_request_is_ignored(sqlite_store: Store) -> None:
    old = await sent(sqlite_store)
    await sqlite_store.intents.doubt(old, LATER)
    newer = await sqlite_store.intents.mark_sending(await sqlite_store.intents.reopen(old))
    await sqlite_store.intents.refuse(old)
    await sqlite_store.intents.release(old)
    await sqlite_store.intents.doubt(old, LATER)
    assert await sqlite_store.intents.open_one(ACME) == newer


async def test_a_request_without_an_answer_is_in_doubt_until_a_known_instant(store: Store) -> None:
    """F3: an unknown outcome is neither failed nor done."""
    intent = await doubted(store)
    assert (intent.state, intent.settle_until) == ("in-doubt", LATER)
    assert (await store.links.standing("acme", "clients")).in_doubt == 1


async def test_a_doubt_may_be_prolonged(sqlite_store: Store) -> None:
    intent = await doubted(sqlite_store)
    await sqlite_store.intents.doubt(intent, LATER + timedelta(hours=1))
    found = await sqlite_store.intents.open_one(ACME)
    assert found is not None
    assert found.settle_until == LATER + timedelta(hours=1)


async def test_while_in_doubt_nothing_may_be_sent(sqlite_store: Store) -> None:
    """F1, F2: after a lost answer nobody sends again before looking."""
    intent = await doubted(sqlite_store)
    with pytest.raises(FenceLost):
        await sqlite_store.intents.mark_sending(intent)
    assert await state_of(sqlite_store) == "in-doubt"


async def test_asking_again_while_in_doubt_gives_the_doubtful_intent(sqlite_store: Store) -> None:
    """F37: a repeated run resumes the same intent."""
    intent = await doubted(sqlite_store)
    assert await sqlite_store.intents.reserve(ACME) == intent


async def test_after_the_wait_an_intent_whose_record_was_not_found_may_be_sent_again(store: Store) -> None:
    """F1"""
    intent = await doubted(store)
    reopened = await store.intents.reopen(intent)
    assert await store.intents.reserve(ACME) == reopened
    assert (reopened.state, reopened.settle_until) == ("reserved", None)
    again = await store.intents.mark_sending(reopened)
    assert (again.id, again.reference) == (intent.id, intent.reference)


async def test_a_doubt_is_lifted_by_one_worker_only(sqlite_store: Store) -> None:
    intent = await doubted(sqlite_store)
    await sqlite_store.intents.reopen(intent)
    with pytest.raises(FenceLost, match="no longer ours"):
        await sqlite_store.intents.reopen(intent)


async def test_a_request_that_was_certainly_not_carried_out_may_be_sent_again(sqlite_store: Store) -> None:
    """S26"""
    await sqlite_store.intents.release(await sent(sqlite_store))
    assert await state_of(sqlite_store) == "reserved"
    assert (await sent(sqlite_store)).state == "sending"


async def test_a_refused_request_closes_its_intent_and_a_later_try_gets_a_new_one(store: Store) -> None:
    """S28, F19: editing the party after a refusal must be able to create the client."""
    refused = await sent(store)
    await store.intents.refuse(refused)
    assert await state_of(store) is None
    fresh = await store.intents.reserve(ACME)
    assert fresh.id != refused.id
    assert fresh.reference == refused.reference


async def test_the_reference_of_a_party_is_the_same_for_ever(sqlite_store: Store) -> None:
    """F7: deleting, reopening or re-approving leads to the same key."""
    first = await sqlite_store.intents.reserve(ACME)
    await sqlite_store.links.confirm(ACME, agreed("90210"), intent_id=first.id)
    second = await sqlite_store.intents.reserve(ACME)
    assert first.reference == second.reference == sqlite_store.intents.reference(ACME)
    assert first.reference != sqlite_store.intents.reference(NORDWIND)


async def test_a_found_record_closes_the_doubt(sqlite_store: Store) -> None:
    """F2"""
    intent = await doubted(sqlite_store)
    await sqlite_store.links.confirm(ACME, agreed("90210"), intent_id=intent.id)
    assert await state_of(sqlite_store) is None
    with pytest.raises(FenceLost):
        await sqlite_store.intents.reopen(intent)


@pytest.mark.parametrize("change", ["release", "refuse", "doubt"])
async def test_what_was_never_sent_can_be_neither_refused_nor_released_nor_doubted(store: Store, change: str) -> None:
    intent = await store.intents.reserve(ACME)
    await apply(store, change, intent)
    assert await store.intents.open_one(ACME) == intent


@pytest.mark.parametrize("change", ["release", "refuse"])
async def test_a_doubt_is_not_ended_by_a_late_report(sqlite_store: Store, change: str) -> None:
    """F3: the connection broke; a proxy's later error page does not prove that nothing was created."""
    intent = await doubted(sqlite_store)
    await apply(sqlite_store, change, intent)
    assert await sqlite_store.intents.open_one(ACME) == intent


@pytest.mark.parametrize("change", ["release", "refuse", "doubt", "reopen", "mark_sending"])
@pytest.mark.parametrize("end", ["done", "refused"])
async def test_a_closed_intent_stays_closed(sqlite_store: Store, change: str, end: str) -> None:
    intent = await sent(sqlite_store)
    if end == "done":
        await sqlite_store.links.confirm(ACME, agreed("90210"), intent_id=intent.id)
    else:
        await sqlite_store.intents.refuse(intent)
    if change in ("reopen", "mark_sending"):
        with pytest.raises(FenceLost):
            await apply(sqlite_store, change, intent)
    else:
        await apply(sqlite_store, change, intent)
    assert await state_of(sqlite_store) is None


async def test_what_is_being_sent_cannot_be_reopened_without_a_doubt(sqlite_store: Store) -> None:
    """F1: the request may still arrive."""
    intent = await sent(sqlite_store)
    with pytest.raises(FenceLost):
        await sqlite_store.intents.reopen(intent)
    assert await state_of(sqlite_store) == "sending"
