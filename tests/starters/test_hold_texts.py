"""What waits for a person is said in words that a finance person understands, on the command line."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from starters.hold_texts import choice_lines, hold_lines
from starters.holds import list_holds, resolve_holds, show_hold
from store.holds import OpenHold
from tests.pipelines import OpenPipeline
from workflows.models import Resolution

WEBSITE = {"name": "Website rebuild", "amount": "5000.00", "currency": "EUR", "milestone": "Won"}


def held(reason: str) -> OpenHold:
    workflow_id = "opportunity-to-estimate/acme/capsule-opportunity-701"
    return OpenHold(workflow_id, "acme", "opportunities", "crm", "701", reason, datetime(2026, 3, 2, tzinfo=UTC))


def said(reason: str, **evidence: Any) -> str:
    return "\n".join(hold_lines(held(reason), {"explanation": "why", "opportunity": WEBSITE, **evidence}))


def choices(reason: str, **evidence: Any) -> list[str]:
    """Return what the hold can be decided with."""
    return choice_lines(held(reason), evidence)[0].removeprefix("choices: ").split(", ")


def test_an_approval_shows_what_the_customer_would_be_charged() -> None:
    """S59: 5,000.00 and 19 percent tax are 5,950.00."""
    line = {
        "name": "Website rebuild",
        "quantity": "1",
        "unit_cost": "5000.00",
        "taxes": [{"name": "VAT", "percent": "19"}],
    }
    shown = said(
        "approval",
        action="create",
        number="I-701-1",
        total="5950.00",
        currency="EUR",
        client=330_101,
        estimate="E-701-1",
        charged=[line],
    )
    assert "opportunity 701 “Website rebuild”, worth 5,000.00 EUR before tax, at the milestone Won" in shown
    wanted = (
        "invoice I-701-1 for client 330101 would be made, from estimate E-701-1: 5,950.00 EUR in all, taxes included"
    )
    assert wanted in shown
    assert "1 at 5,000.00 EUR: Website rebuild (VAT 19 %)" in shown
    assert choices("approval") == ["approve", "reject", "retry", "skip"]


def test_each_choice_says_what_it_does() -> None:
    lines = choice_lines(held("approval"), {})
    assert [each.split(":")[0].strip() for each in lines[1:]] == ["approve", "reject", "retry", "skip"]
    assert "nothing is sent" in lines[2]


def test_two_totals_that_differ_are_shown_side_by_side() -> None:
    """S39."""
    shown = said("money-mismatch", predicted="5950.00", answered="5950.01", currency="EUR")
    assert "predicted: 5,950.00 EUR; FreshBooks computed: 5,950.01 EUR" in shown
    assert choices("money-mismatch", predicted="5950.00") == ["approve", "retry", "skip"]


def test_lines_of_another_sum_cannot_be_approved() -> None:
    """S39: to send 5,100.00 where 5,000.00 was agreed takes somebody who corrects one of the two."""
    assert "the lines come to 5,100.00 EUR; the opportunity says 5,000.00 EUR" in said(
        "money-mismatch", lines="5100.00"
    )
    assert choices("money-mismatch", lines="5100.00") == ["retry", "skip"]


def test_a_conflict_shows_what_either_side_says() -> None:
    """S48."""
    fields = {"amount": {"crm": "5000.00", "books": "5100.00"}}
    assert "amount: the CRM says 5000.00; FreshBooks says 5100.00" in said("conflict", fields=fields)
    assert choices("conflict", fields=fields) == ["crm", "books", "retry", "skip"]
    assert choices("conflict") == ["retry", "skip"], "an invoice that was sent has no side to take"


def test_amounts_without_decimals_and_with_three_are_shown_as_they_are() -> None:
    assert "120,000 JPY" in said("approval", total="120000", currency="JPY")
    assert "1,234.567 KWD" in said("approval", total="1234.567", currency="KWD")


def test_a_hold_of_an_earlier_version_can_still_be_shown() -> None:
    assert "the lines come to 5,100.00; the opportunity says 5,000.00" in "\n".join(
        hold_lines(held("money-mismatch"), {"lines": "5100.00", "opportunity": "5000.00"})
    )


async def test_an_approval_is_read_and_given_on_the_command_line(
    open_with: OpenPipeline, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S46, S59."""
    async with open_with(approvals={"above": {"EUR": 1000}}) as pipeline:
        record_id = await pipeline.enter("won")
        await pipeline.announce(record_id)
        workflow_id = (await pipeline.hold(record_id)).workflow_id
        await list_holds("approval")
        listed = capsys.readouterr().out
        assert f"opportunity {record_id}" in listed
        assert f"invoice I-{record_id}-1 of 1,250.50 EUR" in listed
        assert "Website" not in listed
        await show_hold(workflow_id)
        shown = capsys.readouterr().out
        assert f"opportunity {record_id} “Website rebuild”, worth 1,250.50 EUR before tax" in shown
        assert f"invoice I-{record_id}-1 for client " in shown
        assert "1,250.50 EUR in all" in shown
        assert await resolve_holds([workflow_id], Resolution(choice="crm")) == 1
        assert "crm does not decide a hold of the reason approval; choices: approve, reject" in capsys.readouterr().out
        assert pipeline.documents("invoice") == []
        assert await resolve_holds([workflow_id], Resolution(choice="approve")) == 0
        assert f"going on: approve (invoice I-{record_id}-1 of 1,250.50 EUR)" in capsys.readouterr().out
        assert (await pipeline.result(record_id)).outcome == "invoice create"


def of_payment(flow: str, reason: str) -> OpenHold:
    workflow_id = "payment-reconciliation/acme/freshbooks-payment-70001"
    return OpenHold(workflow_id, "acme", flow, "books", "70001", reason, datetime(2026, 3, 2, tzinfo=UTC))


def test_a_payment_that_does_not_add_up_is_shown_with_the_numbers() -> None:
    """F28: 1,000.00 were invoiced, 400.00 paid, and FreshBooks shows 900.00."""
    numbers = {"invoiced": "1000.00", "applied": "400.00", "refunded": "0.00", "over": "0.00", "outstanding": "600.00"}
    evidence = {
        "explanation": "why",
        "invoice": 90001,
        "currency": "EUR",
        **numbers,
        "differences": "paid must be 400.00",
    }
    hold = of_payment("payments", "money-mismatch")
    assert hold_lines(hold, evidence)[1:] == [
        "  invoice 90001: invoiced 1,000.00 EUR, applied 400.00 EUR, refunded 0.00 EUR, over 0.00 EUR, "
        "outstanding 600.00 EUR",
        "  paid must be 400.00",
    ]
    assert choice_lines(hold, evidence) == ["choices: retry, skip"]


def test_sums_that_do_not_meet_are_shown_by_client_and_currency() -> None:
    sums = {"client_id": 7, "currency": "JPY", "invoiced": 1000, "shown_paid": 900, "outstanding": 100, "paid": 400}
    shown = hold_lines(of_payment("proof", "money-mismatch"), {"explanation": "why", "sums": [{**sums, "overpaid": 0}]})
    assert shown[1] == (
        "  client 7, JPY, minor units: invoiced 1000, shown as paid 900, outstanding 100, payments 400, overpaid 0"
    )
