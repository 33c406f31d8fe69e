"""Tokens are kept sealed, and a refresh belongs to one process at a time, whatever the others do."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from store.store import Store
from store.tokens import NEEDS_CONSENT, REFRESHING, USABLE, Account, Grant
from tests.databases import TEST_KEYS

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PLACE = ("acme", "freshbooks")


def granted(number: int = 1) -> Grant:
    return Grant(
        access=SecretStr(f"access-{number}"),
        refresh=SecretStr(f"refresh-{number}"),
        scope="user:clients:read user:clients:write",
        issued_at=NOON,
        expires_at=NOON + timedelta(hours=12),
    )


async def connected(store: Store, number: int = 1) -> Account:
    await store.tokens.consented(*PLACE, granted(number), "aB3xYz")
    return await standing(store)


async def standing(store: Store) -> Account:
    account = await store.tokens.account(*PLACE)
    assert account is not None
    return account


async def test_an_account_that_was_never_connected_has_no_tokens(store: Store) -> None:
    assert await store.tokens.read(*PLACE) == (None, None)
    assert await store.tokens.all() == {}


async def test_tokens_come_back_as_they_were_stored(store: Store) -> None:
    """S11."""
    account = await connected(store)
    assert (account.state, account.version, account.connected, account.account_id) == (USABLE, 1, True, "aB3xYz")
    assert (await store.tokens.read(*PLACE))[1] == granted()


async def test_the_database_holds_no_token_in_clear(store: Store) -> None:
    """Z137."""
    await connected(store)
    async with store.database.reading() as session:
        row = (await session.execute(text("SELECT * FROM tokens"))).one()
    stored = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    assert b"aB3xYz" in stored
    assert b"access-1" not in stored
    assert b"refresh-1" not in stored


async def test_tokens_of_one_account_do_not_open_in_the_row_of_another(store: Store) -> None:
    """Z137: a row that was copied by hand is damaged, not usable."""
    await connected(store)
    async with store.database.writing() as session:
        await session.execute(text("UPDATE tokens SET connection = 'berg'"))
    with pytest.raises(Exception, match="sealed data was altered"):
        await store.tokens.read("berg", "freshbooks")


async def test_of_many_that_want_the_refresh_one_gets_it(store: Store) -> None:
    """F9, I11."""
    account = await connected(store)
    claims = await asyncio.gather(*(store.tokens.claim(account, f"holder-{number}") for number in range(12)))
    assert sum(claims) == 1
    assert (await standing(store)).state == REFRESHING


async def test_new_tokens_take_the_place_of_the_old_ones_once(store: Store) -> None:
    """F9: whoever comes with tokens for the same version is late."""
    account = await connected(store)
    await store.tokens.claim(account, "mine")
    assert await store.tokens.renew(account, granted(2))
    assert not await store.tokens.renew(account, granted(3))
    after, kept = await store.tokens.read(*PLACE)
    assert after is not None
    assert (after.state, after.version, after.holder, kept) == (USABLE, 2, None, granted(2))


async def test_a_refresh_that_was_given_up_can_be_taken_over_from_its_holder_only(store: Store) -> None:
    account = await connected(store)
    await store.tokens.claim(account, "dead")
    seen = await standing(store)
    assert await store.tokens.claim(seen, "second")
    assert not await store.tokens.claim(seen, "third")
    assert (await standing(store)).holder == "second"


async def test_a_refresh_that_was_not_sent_is_anybodys_again(store: Store) -> None:
    account = await connected(store)
    await store.tokens.claim(account, "mine")
    await store.tokens.release(account, "somebody else's")
    assert (await standing(store)).state == REFRESHING
    await store.tokens.release(account, "mine")
    assert await store.tokens.claim(await standing(store), "next")


async def test_all_learn_until_when_a_system_wants_to_be_left_alone(store: Store) -> None:
    """F11: Zoho prolongs its wait for whoever asks on, so no process may ask for what another was refused."""
    account = await connected(store)
    await store.tokens.claim(account, "mine")
    await store.tokens.release(account, "somebody else's", NOON)
    assert (await standing(store)).not_before is None
    await store.tokens.release(account, "mine", NOON)
    waiting = await standing(store)
    assert (waiting.state, waiting.holder, waiting.version, waiting.not_before) == (USABLE, None, 1, NOON)
    assert waiting == (await store.tokens.all())[PLACE] == (await store.tokens.read(*PLACE))[0]


async def test_who_looked_before_the_wait_was_known_may_not_ask_within_it(store: Store) -> None:
    """F11: between one process' look and its claim another may have asked and been told to wait."""
    looked = await connected(store)
    await store.tokens.claim(looked, "faster")
    await store.tokens.release(looked, "faster", datetime.now(UTC) + timedelta(minutes=10))
    assert not await store.tokens.claim(looked, "slower")
    assert (await standing(store)).state == USABLE


@pytest.mark.parametrize("way", ["renewed", "connected again", "forgotten", "asked without a wait"])
async def test_the_wait_is_over_with_the_next_answer(store: Store, way: str) -> None:
    account = await connected(store)
    await store.tokens.claim(account, "mine")
    await store.tokens.release(account, "mine", NOON)
    await store.tokens.claim(account, "next")
    match way:
        case "renewed":
            assert await store.tokens.renew(account, granted(2))
        case "connected again":
            await connected(store, 2)
        case "forgotten":
            await store.tokens.forget(*PLACE)
        case _:
            await store.tokens.release(account, "next")
    assert (await standing(store)).not_before is None


async def test_a_wait_outlives_a_loss_that_a_person_has_cured(store: Store) -> None:
    """F11: that a person says "try again" does not shorten what the system said."""
    account = await connected(store)
    await store.tokens.claim(account, "mine")
    await store.tokens.release(account, "mine", NOON)
    await store.tokens.lose(account, "invalid_client")
    await store.tokens.try_again(*PLACE)
    assert (await standing(store)).not_before == NOON


async def test_a_refused_refresh_is_lost_consent_only_if_nobody_was_faster(store: Store) -> None:
    """F9: the loser of a race must not destroy what the winner has."""
    account = await connected(store)
    await store.tokens.claim(account, "slow")
    await store.tokens.renew(account, granted(2))
    assert not await store.tokens.lose(account, "invalid_grant", "slow")
    assert (await standing(store)).state == USABLE


async def test_lost_consent_says_why_and_ends_with_a_new_consent(store: Store) -> None:
    account = await connected(store)
    await store.tokens.claim(account, "mine")
    assert await store.tokens.lose(account, "FreshBooks refused (invalid_grant)", "mine")
    lost = await standing(store)
    assert (lost.state, lost.reason, lost.rejected) == (NEEDS_CONSENT, "FreshBooks refused (invalid_grant)", None)
    again = await connected(store, 2)
    assert (again.state, again.reason, again.version) == (USABLE, "", 2)


async def test_tokens_that_arrive_after_all_are_good(store: Store) -> None:
    """A process was frozen, taken for dead, and wakes up with the only tokens that work."""
    account = await connected(store)
    await store.tokens.claim(account, "frozen")
    await store.tokens.claim(await standing(store), "second")
    await store.tokens.lose(account, "invalid_grant", "second")
    assert await store.tokens.renew(account, granted(2))
    assert (await standing(store)).state == USABLE


async def test_a_refused_token_of_the_settings_is_known_by_a_fingerprint(store: Store) -> None:
    """Z137: another token is told from it, and neither can be read."""
    await store.tokens.refuse(*PLACE, "not accepted", "s3cret")
    refused = await standing(store)
    assert (refused.state, refused.connected) == (NEEDS_CONSENT, False)
    assert refused.rejected == store.tokens.fingerprint("s3cret") != store.tokens.fingerprint("other")
    assert "s3cret" not in str(refused)


async def test_a_person_may_have_it_tried_again_once(store: Store) -> None:
    await store.tokens.refuse(*PLACE, "not accepted", "s3cret")
    assert await store.tokens.try_again(*PLACE)
    assert (await standing(store)).state == USABLE
    assert not await store.tokens.try_again(*PLACE)


async def test_two_processes_may_refuse_the_first_token_at_the_same_moment(store: Store) -> None:
    other = Store(store.database.engine.url.render_as_string(hide_password=False), TEST_KEYS)
    await asyncio.gather(*(each.tokens.refuse(*PLACE, "not accepted", "s3cret") for each in (store, other)))
    await other.close()
    assert (await standing(store)).state == NEEDS_CONSENT


async def test_forgotten_tokens_are_gone_but_the_account_they_were_for_is_known(store: Store) -> None:
    """F4: links belong to an account; whoever connects again must come back to the same one."""
    account = await connected(store)
    await store.tokens.forget(*PLACE)
    after, kept = await store.tokens.read(*PLACE)
    assert after is not None
    assert (after.connected, after.account_id, kept) == (False, "aB3xYz", None)
    assert after.version > account.version
    assert not await store.tokens.renew(account, granted(2)), "a refresh under way must not bring them back"


async def test_a_token_is_not_shown_when_it_is_printed(store: Store) -> None:
    """Z137."""
    assert "access-1" not in repr(granted())
    assert "refresh-1" not in repr(granted())
