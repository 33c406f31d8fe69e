"""The connection check asks both systems everything that a sync needs; whatever fails is an answer."""

import itertools
from datetime import timedelta

import pytest

import workflows.options
from activities.crm_hooks import CrmHookActivities
from activities.hooks import FreshBooksHookActivities
from activities.sweep_models import NewHook
from runtime.queues import WORKFLOW_QUEUE
from tests.pipelines import Pipeline
from tests.sandboxes import Firm
from tests.workflows.office import Office
from workflows.checks import BUILT_IN, NO_WEBHOOKS, ConnectionCheck
from workflows.hooks import PARTY_EVENTS
from workflows.models import CheckReport, CheckRequest

RUNS = itertools.count(1)


async def checked(office: Office, *, webhooks: bool = True, opportunities: bool = False) -> CheckReport:
    """Run the connection check, as the doctor does."""
    crm = office.firm.connection.crm
    return await office.temporal.execute_workflow(
        ConnectionCheck.run,
        CheckRequest(connection=office.firm.name, webhooks=webhooks, crm=crm, opportunities=opportunities),
        id=f"connection-check/{office.firm.name}/{next(RUNS)}",
        task_queue=WORKFLOW_QUEUE,
    )


def found(texts: list[str], part: str) -> bool:
    return any(part in each for each in texts)


async def test_the_check_says_who_we_are_to_both_systems(office: Office, firm: Firm) -> None:
    """Z20."""
    async with office.working():
        report = await checked(office)
    assert report.failed == []
    assert "capsule: account sandbox" in report.passed
    assert f"freshbooks: account {firm.connection.freshbooks.account_id}" in report.passed


async def test_the_check_looks_at_quota_and_mapping(office: Office, firm: Firm) -> None:
    """S61, Z36."""
    async with office.working():
        report = await checked(office)
    for part in ("capsule: quota:", "freshbooks: quota:", "capsule: mapping: fits"):
        assert found(report.passed, part), part


async def test_webhooks_that_are_missing_are_a_warning(office: Office, firm: Firm) -> None:
    """F12."""
    async with office.working():
        report = await checked(office)
    assert found(report.warnings, "capsule: webhooks: party/created, party/updated, party/deleted not registered")
    assert found(report.warnings, "freshbooks: webhooks: client not registered")


async def test_a_callback_without_its_handshake_is_a_warning(office: Office, firm: Firm) -> None:
    """Z28: it delivers nothing."""
    async with office.working():
        for event in PARTY_EVENTS["capsule"]:
            hook = NewHook(connection=firm.name, event=event)
            await firm.run(CrmHookActivities.create_rest_hook, hook)
        await firm.run(FreshBooksHookActivities.create_callback, NewHook(connection=firm.name, event="client"))
        report = await checked(office)
    (callback,) = firm.sandbox.freshbooks_service.records.all("callback")
    assert f"capsule: webhooks: {', '.join(PARTY_EVENTS['capsule'])}" in report.passed
    assert found(report.warnings, f"freshbooks: webhooks: callback {callback['callbackid']} is not verified")


async def test_a_token_that_may_have_no_webhooks_is_a_warning(office: Office, firm: Firm) -> None:
    firm.use(capsule_token=firm.sandbox.capsule_service.about()["tokens"]["personal"])
    async with office.working():
        report = await checked(office)
    assert found(report.warnings, "capsule: webhooks: this token may have none")


async def test_without_a_public_address_webhooks_are_not_looked_for(office: Office, firm: Firm) -> None:
    async with office.working():
        report = await checked(office, webhooks=False)
    assert report.warnings == []
    assert [each for each in report.notes if NO_WEBHOOKS in each] == [
        f"capsule: {NO_WEBHOOKS}",
        f"freshbooks: {NO_WEBHOOKS}",
    ]


async def test_what_no_request_can_tell_is_left_to_the_operator(office: Office, firm: Firm) -> None:
    """F4: two syncs of one pair of accounts fight."""
    async with office.working():
        assert BUILT_IN["capsule"][0] in (await checked(office)).notes


async def test_the_check_says_what_is_wrong_with_a_token(office: Office, firm: Firm) -> None:
    """Z20: of the other system everything is still said."""
    firm.use(capsule_token="expired")
    async with office.working():
        report = await checked(office)
    assert report.failed[0].startswith("capsule: Capsule refused to read the site (HTTP 401)")
    assert len(report.failed) == 1
    assert found(report.passed, "freshbooks: quota:")


async def test_an_account_that_waits_for_consent_is_said_so_at_once(office: Office, firm: Firm) -> None:
    """F9: it has no worker that could answer."""
    await firm.store.tokens.refuse(firm.name, "capsule", "Capsule does not accept the token", "secret")
    async with office.working():
        report = await checked(office)
    assert report.failed == ["capsule: token: Capsule does not accept the token"]
    assert found(report.passed, "freshbooks: quota:")


async def test_a_check_that_cannot_be_made_is_a_finding_among_others(office: Office, firm: Firm) -> None:
    firm.crm_fault(method="GET", path="/api/v2/parties/fields/definitions", fault="status", status=403)
    async with office.working():
        report = await checked(office)
    assert report.failed == [
        "capsule: Capsule refused to list custom fields of parties (HTTP 403): check the user's role, the scopes and"
        " the plan"
    ]
    assert found(report.passed, "capsule: quota:")


async def test_the_check_says_when_no_worker_serves_an_account(
    office: Office, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S51."""
    patience = {**workflows.options.CHECK, "schedule_to_close_timeout": timedelta(seconds=0.5)}
    monkeypatch.setattr(workflows.options, "CHECK", patience)
    firm.queues = []
    async with office.working():
        report = await checked(office)
    assert report.failed == [
        "capsule: no answer from the worker in time",
        "freshbooks: no answer from the worker in time",
    ]


async def test_where_opportunities_are_synced_their_settings_are_checked_too(pipeline: Pipeline) -> None:
    """Z20, S51: milestones, documents, owners, and the webhooks of all of them."""
    report = await checked(pipeline.office, opportunities=True)
    assert report.failed == []
    assert found(report.passed, f"{pipeline.firm.connection.crm}: opportunities: every milestone")
    assert found(report.passed, "freshbooks: documents: estimates and invoices can be read")
    assert found([*report.passed, *report.notes, *report.warnings], "freshbooks: owners: ")
    assert found(report.warnings, "freshbooks: webhooks: client, estimate, invoice not registered")
    assert found(
        report.warnings, {"capsule": "opportunity/moved", "zoho_crm": "Deals.all"}[pipeline.firm.connection.crm]
    )


async def test_an_owner_list_that_cannot_be_read_is_a_finding_among_others(pipeline: Pipeline) -> None:
    pipeline.firm.books_fault(method="GET", path="staffs", fault="status", status=403)
    report = await checked(pipeline.office, opportunities=True)
    assert len(report.failed) == 1
    assert report.failed[0].startswith("freshbooks: ")
    assert "staff" in report.failed[0]
    assert found(report.passed, "freshbooks: documents: estimates and invoices can be read")


async def test_without_opportunities_nobody_asks_for_their_rights(office: Office, firm: Firm) -> None:
    async with office.working():
        report = await checked(office)
    every = [*report.passed, *report.notes, *report.warnings, *report.failed]
    assert not any(word in each for each in every for word in ("estimate", "owners", "opportunit"))
