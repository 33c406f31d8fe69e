"""A create whose answer was lost: wait until it can no longer take effect unseen, look by two paths, then decide."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.sandboxes import Firm
from tests.workflows.office import Office
from workflows.models import Resolution

pytestmark = pytest.mark.faults

OFFICE = [{"address": "office@acme.test"}]
SEARCH = "/users/clients"


async def test_a_client_that_was_created_without_an_answer_is_adopted(office: Office, firm: Firm) -> None:
    """F1."""
    firm.books_fault(method="POST", fault="commit_then_cut", times=1)
    party_id = await firm.new_party(emailAddresses=OFFICE)
    async with office.working():
        result = await office.sync(party_id)
    (client,) = firm.clients()
    assert (result.outcome, result.client_id) == ("adopted", client["id"])
    assert firm.calls("POST", SEARCH) == 1


async def test_it_is_looked_for_by_email_and_by_our_reference(office: Office, firm: Firm) -> None:
    """F1: a search index may lag in one of them."""
    firm.books_fault(method="POST", fault="commit_then_cut", times=1)
    party_id = await firm.new_party(emailAddresses=OFFICE)
    async with office.working():
        await office.sync(party_id)
    before, after = 2, 2  # by email and by name; by email and by our reference
    assert firm.calls("GET", SEARCH) == before + after


async def test_nothing_is_looked_for_before_the_settle_time_is_over(office: Office, firm: Firm) -> None:
    """F1."""
    firm.books_fault(method="POST", fault="commit_then_cut", times=1)
    party_id = await firm.new_party(emailAddresses=OFFICE)
    async with office.working():
        started = datetime.now(UTC)
        await office.sync(party_id)
    assert datetime.now(UTC) - started >= timedelta(seconds=1)


async def test_a_request_that_never_arrived_is_made_after_the_wait(office: Office, firm: Firm) -> None:
    firm.books_fault(method="POST", fault="cut_before", times=1)
    party_id = await firm.new_party(emailAddresses=OFFICE)
    async with office.working():
        result = await office.sync(party_id)
    assert (result.outcome, len(firm.clients())) == ("created", 1)


async def test_a_request_that_takes_effect_after_we_gave_up_makes_no_second_client(office: Office, firm: Firm) -> None:
    """F1: FreshBooks was still working on it."""
    firm.books_fault(method="POST", fault="late_commit", seconds=0.6, times=1)
    party_id = await firm.new_party(emailAddresses=OFFICE)
    async with office.working():
        result = await office.sync(party_id)
    await firm.sandbox.settle()
    assert (result.outcome, len(firm.clients())) == ("adopted", 1)


@pytest.mark.parametrize("fault", ["commit_then_status", "truncated", "malformed"])
async def test_an_answer_that_cannot_be_understood_makes_no_second_client(
    office: Office, firm: Firm, fault: str
) -> None:
    """F3."""
    firm.books_fault(method="POST", fault=fault, times=1)
    party_id = await firm.new_party(emailAddresses=OFFICE)
    async with office.working():
        await office.sync(party_id)
    assert len(firm.clients()) == 1


async def test_a_party_without_an_email_address_is_found_by_our_reference(office: Office, firm: Firm) -> None:
    firm.books_fault(method="POST", fault="commit_then_cut", times=1)
    party_id = await firm.new_party(emailAddresses=[])
    async with office.working():
        assert (await office.sync(party_id)).outcome == "adopted"
    assert len(firm.clients()) == 1


async def test_a_worker_that_died_behind_the_request_leaves_one_client(office: Office, firm: Firm) -> None:
    """F41: the next worker finds the intent marked as sent, waits, and looks."""
    party_id = await firm.new_party(emailAddresses=OFFICE)
    await firm.store.intents.mark_sending(await firm.store.intents.reserve(firm.record_key(party_id)))
    note = f"[ledgerline {firm.store.intents.reference(firm.record_key(party_id))}]"
    client_id = await firm.new_client(organization="Acme Ltd", email="office@acme.test", note=note)
    async with office.working():
        result = await office.sync(party_id)
    assert (result.outcome, result.client_id, len(firm.clients())) == ("adopted", client_id, 1)


async def test_a_second_client_that_a_person_wanted_is_created_once(office: Office, firm: Firm) -> None:
    """F2: a person's decision takes the same path."""
    for name in ("North", "South"):
        await firm.new_client(organization=name, email="office@acme.test")
    firm.books_fault(method="POST", fault="commit_then_cut", times=1)
    party_id = await firm.new_party(emailAddresses=OFFICE)
    async with office.working():
        await office.announce(party_id)
        await office.hold(party_id)
        await office.resolve(party_id, Resolution(choice="create"))
        result = await office.result(party_id)
    assert (result.outcome, len(firm.clients())) == ("adopted", 3)


async def test_an_outage_is_waited_out(office: Office, firm: Firm) -> None:
    """S27, S47, Z115."""
    firm.books_fault(method="GET", fault="status", status=503, headers={"Retry-After": "1"}, times=1)
    firm.crm_fault(method="GET", fault="cut_before", times=1)
    party_id = await firm.new_party(emailAddresses=OFFICE)
    async with office.working():
        assert (await office.sync(party_id)).outcome == "created"


async def test_a_rate_limit_is_waited_out_before_the_client_is_created(office: Office, firm: Firm) -> None:
    """S26, Z111."""
    firm.books_fault(method="POST", fault="status", status=429, headers={"Retry-After": "1"}, times=1)
    party_id = await firm.new_party(emailAddresses=OFFICE)
    async with office.working():
        assert (await office.sync(party_id)).outcome == "created"
    assert len(firm.clients()) == 1
