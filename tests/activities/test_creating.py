"""Creating a client: once, whatever happens to the answer."""

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.models import ClientSide
from mapping.reference import split_note
from tests.activities.steps import create, created, planned, read_client, standing
from tests.sandboxes import Firm

pytestmark = pytest.mark.faults


async def fails(firm: Firm, party_id: int) -> ApplicationError:
    """Try to create a party's client and return what went wrong."""
    with pytest.raises(ApplicationError) as caught:
        await create(firm, await planned(firm, party_id))
    return caught.value


async def test_a_new_client_is_linked_to_its_party_and_written_into_the_audit_log(firm: Firm) -> None:
    """S21, S34, S44."""
    party_id, client_id = await created(firm, name="Acme Ltd")
    assert firm.client(client_id)["organization"] == "Acme Ltd"
    assert (await standing(firm, party_id)).client_id == client_id
    (line,) = await firm.store.audit.latest(10)
    assert (line.action, line.crm_id, line.books_id) == ("create", str(party_id), str(client_id))


async def test_a_new_client_carries_our_reference_below_what_people_wrote(firm: Firm) -> None:
    party_id = await firm.new_party(about="Pays by card")
    write = await planned(firm, party_id)
    note = firm.client(await create(firm, write))["note"]
    assert write.create is not None
    assert split_note(note) == ("Pays by card", write.create.reference)


async def test_a_party_has_one_intent_however_many_passes_begin(firm: Firm) -> None:
    party_id = await firm.new_party()
    first, second = await standing(firm, party_id), await standing(firm, party_id)
    assert first.create == second.create is not None


async def test_two_parties_never_share_a_reference(firm: Firm) -> None:
    writes = [await planned(firm, await firm.new_party()) for _ in range(2)]
    assert len({write.create.reference for write in writes if write.create}) == 2


async def test_a_lost_answer_leaves_the_create_in_doubt_and_says_so(firm: Firm) -> None:
    """F3."""
    firm.books_fault(method="POST", fault="commit_then_cut")
    party_id = await firm.new_party()
    assert (await fails(firm, party_id)).type == "UnknownOutcome"
    create = (await standing(firm, party_id)).create
    assert create is not None
    assert create.in_doubt
    assert create.settle_until is not None
    assert create.settle_until > datetime.now(UTC)


async def test_a_create_whose_answer_was_lost_is_never_sent_again(firm: Firm) -> None:
    """F1."""
    firm.books_fault(method="POST", fault="commit_then_cut", times=1)
    write = await planned(firm, await firm.new_party())
    for _ in range(3):
        with pytest.raises(ApplicationError) as caught:
            await create(firm, write)
        assert (caught.value.type, caught.value.non_retryable) == ("UnknownOutcome", True)
    assert len(firm.clients()) == 1


async def test_an_attempt_after_a_crash_in_the_middle_of_the_request_sends_nothing(firm: Firm) -> None:
    write = await planned(firm, await firm.new_party())
    intent = await firm.store.intents.reserve(firm.record_key(write.key.party_id))
    await firm.store.intents.mark_sending(intent)  # the worker died here
    with pytest.raises(ApplicationError) as caught:
        await create(firm, write)
    assert caught.value.type == "UnknownOutcome"
    assert firm.calls("POST", "/clients") == 0


async def test_a_create_that_nobody_watches_any_more_settles_after_request_and_lag(firm: Firm) -> None:
    """F1: three seconds for the request, one for the search to notice."""
    party_id = await firm.new_party()
    write = await planned(firm, party_id)
    sent = await firm.store.intents.mark_sending(await firm.store.intents.reserve(firm.record_key(party_id)))
    create = (await standing(firm, party_id)).create
    assert write.create is not None
    assert create is not None
    assert create.in_doubt
    assert create.settle_until is not None
    assert sent.sent_at is not None
    assert create.settle_until - sent.sent_at == timedelta(seconds=4)


async def test_an_attempt_after_a_crash_behind_the_confirmation_returns_the_client(firm: Firm) -> None:
    write = await planned(firm, await firm.new_party())
    client_id = await create(firm, write)
    assert await create(firm, write) == client_id
    assert len(firm.clients()) == 1


async def test_of_two_workers_with_one_create_only_one_sends_it(firm: Firm) -> None:
    write = await planned(firm, await firm.new_party())
    await create(firm, write)
    await create(firm, write)
    assert firm.calls("POST", "/clients") == 1


async def test_a_refused_create_closes_its_intent_and_names_the_field(firm: Firm) -> None:
    """S28: nothing was created, so there is nothing to wait for."""
    party_id = await firm.new_party(name="A" * 200 + "B" * 100)
    error = await fails(firm, party_id)
    assert (error.type, error.non_retryable) == ("Refused", True)
    assert error.details[0][0]["field"] == "organization"
    create = (await standing(firm, party_id)).create
    assert create is not None
    assert not create.in_doubt


async def test_an_outage_during_a_create_is_doubt_and_not_a_failure(firm: Firm) -> None:
    """F3: FreshBooks may have created the client before it answered 503."""
    firm.books_fault(method="POST", fault="commit_then_status", status=503)
    assert (await fails(firm, await firm.new_party())).type == "UnknownOutcome"
    assert len(firm.clients()) == 1


async def test_a_rate_limited_create_is_put_off_for_as_long_as_freshbooks_says(firm: Firm) -> None:
    """S26, Z111."""
    firm.books_fault(method="POST", fault="status", status=429, headers={"Retry-After": "42"}, times=1)
    party_id = await firm.new_party()
    error = await fails(firm, party_id)
    assert (error.type, error.next_retry_delay) == ("RateLimited", timedelta(seconds=42))
    create = (await standing(firm, party_id)).create
    assert create is not None
    assert not create.in_doubt


async def test_a_create_that_was_put_off_is_looked_for_again_before_it_is_sent(firm: Firm) -> None:
    """F2."""
    firm.books_fault(method="POST", fault="status", status=429, times=1)
    party_id = await firm.new_party()
    write = await planned(firm, party_id)
    for expected in ("RateLimited", "LookAgain"):
        with pytest.raises(ApplicationError) as caught:
            await create(firm, write)
        assert caught.value.type == expected
    assert firm.clients() == []


async def test_a_create_without_consent_leaves_nothing_in_doubt(firm: Firm) -> None:
    firm.books_fault(method="POST", fault="status", status=401)
    party_id = await firm.new_party()
    assert (await fails(firm, party_id)).type == "Unauthorized"
    create = (await standing(firm, party_id)).create
    assert create is not None
    assert not create.in_doubt


async def test_a_doubtful_create_that_left_nothing_may_be_sent_after_all(firm: Firm) -> None:
    firm.books_fault(method="POST", fault="cut_before", times=1)
    party_id = await firm.new_party()
    await fails(firm, party_id)
    await create(firm, await planned(firm, party_id))
    assert len(firm.clients()) == 1


async def test_what_a_doubtful_create_left_is_adopted_by_its_reference(firm: Firm) -> None:
    firm.books_fault(method="POST", fault="commit_then_cut", times=1)
    party_id = await firm.new_party()
    await fails(firm, party_id)
    left: ClientSide = await read_client(firm, firm.clients()[0]["id"])
    write = await planned(firm, party_id, left)
    assert (write.adopted, write.client_id, write.writes) == (True, left.client_id, [])
