"""`ledgerline audit` of opportunities, estimates and invoices: why is this amount what it is?"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.errors import Stop
from starters.audit import explain_field, show_record, verify_log
from starters.erasure import erase_record
from store.audit import AuditEntry
from store.links import Agreement
from store.records import RecordKey
from tests.sandboxes import Firm
from tests.starters.test_audit import Said, said

__all__ = ["said"]


async def documents_written(firm: Firm) -> None:
    """An estimate is repriced, its opportunity is won and invoiced, and told of the invoice."""
    new_year = datetime(2026, 1, 1, 9, 30, tzinfo=UTC)
    times = {"crm_created": new_year, "crm_changed": new_year, "books_changed": new_year.replace(hour=8)}
    rules = {"amount": "from the opportunity's value; owner newest, both (estimate)"}
    links, prints = firm.store.links, ("crm-print", "books-print", "v1")
    for flow, document, entry in (
        (
            "estimates",
            "70001",
            AuditEntry(
                "update", "webhook", "v1", {"amount": "1250.50"}, {"amount": "1400.00"}, rules=rules, times=times
            ),
        ),
        ("invoices", "80001", AuditEntry("create", "sweep", "v1", {}, {"amount": "1400.00", "name": "Website"})),
        ("invoices", "80001", AuditEntry("tell", "sweep", "v1", {}, {"Invoice": "I-701-1"}, side="crm")),
    ):
        agreed = Agreement(document, {}, *prints)
        await links.confirm(RecordKey(firm.name, flow, "701"), agreed, audit=entry)


async def test_the_story_of_an_opportunity_holds_both_its_documents(firm: Firm, installed: Path, said: Said) -> None:
    """S44, Z95: newest first; by the opportunity's id, in Capsule's words or in Zoho's."""
    await documents_written(firm)
    for record in ("opportunity:701", "deal:701"):
        assert await show_record(record, None, values=False) == 0
        lines = [line.strip() for line in said().splitlines() if " UTC  " in line]
        assert [line.split("UTC  ")[1] for line in lines] == [
            "tell  opportunity 701 (of invoice 80001)",
            "create  invoice 80001 (of opportunity 701)",
            "update  estimate 70001 (of opportunity 701)",
        ]


async def test_a_document_is_found_by_its_own_id_on_the_side_of_the_books(
    firm: Firm, installed: Path, said: Said
) -> None:
    await documents_written(firm)
    await show_record("estimate:70001", None, values=False)
    assert "invoice" not in said()
    await show_record("invoice:80001", None, values=False)
    shown = said()
    assert "create  invoice 80001 (of opportunity 701)" in shown
    assert "estimate" not in shown
    with pytest.raises(Stop, match=f"nothing was ever written for estimate 80001 of {firm.name}"):
        await show_record("estimate:80001", None, values=False)


async def test_why_an_amount_is_what_it_is_names_rule_and_times(firm: Firm, installed: Path, said: Said) -> None:
    """S43, S44: by the times of both records one sees which edit was the newest."""
    await documents_written(firm)
    assert await explain_field("estimate:70001", "amount", None, values=False) == 0
    shown = said()
    assert "amount of estimate 70001 (of opportunity 701) was last written" in shown
    assert "The rule was: from the opportunity's value; owner newest, both (estimate) (mapping v1)." in shown
    assert "The opportunity was then created 2026-01-01 09:30:00 UTC, changed 2026-01-01 09:30:00 UTC." in shown
    assert "The estimate was then changed 2026-01-01 08:30:00 UTC." in shown
    assert "1400" not in shown
    await explain_field("estimate:70001", "amount", None, values=True)
    assert 'It was "1250.50" and became "1400.00".' in said()
    assert await verify_log([]) == 0


async def test_only_a_person_is_erased(firm: Firm, installed: Path) -> None:
    await documents_written(firm)
    with pytest.raises(Stop, match="'opportunity:701' is no record of a person: write a party as 7"):
        await erase_record("opportunity:701", None, sure=True)
