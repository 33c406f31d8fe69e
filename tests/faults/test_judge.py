"""The judge of the campaign, on ledgers small enough to be read: it finds what is wrong, and names it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from store.audit import AuditLine
from tests.faults.crms import CRMS
from tests.faults.judge import Finding, Ledger, judged, waited

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
IN_ORDER = AuditLine(1, NOON, "acme", "clients", "7", "90210", "create", "webhook", ("lname",))


def party(number: int, name: str) -> dict[str, Any]:
    """A party that was entered."""
    return {"kind": "party", "operation": "create", "id": number, "at": NOON.isoformat(), "record": {"lastName": name}}


def client(number: int, name: str, note: str, *, operation: str = "create", vis_state: int = 0) -> dict[str, Any]:
    """A client that was written."""
    record = {"id": number, "lname": name, "note": note, "vis_state": vis_state}
    return {"kind": "client", "operation": operation, "id": number, "at": NOON.isoformat(), "record": record}


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def found(
    book: Path, entries: Sequence[dict[str, Any]], audit: Sequence[AuditLine] = (IN_ORDER,)
) -> dict[str, Finding]:
    """Write a ledger; return what the judge says is wrong."""
    book.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return {each.what: each for each in judged(Ledger(book).read_on(), audit) if each.count}


def test_one_client_for_one_party_with_one_row_is_in_order(book: Path) -> None:
    assert found(book, [party(7, "Quist"), client(90210, "Quist", "ref 1")]) == {}


def test_a_contact_is_known_by_its_last_name_and_an_account_by_its_own(book: Path) -> None:
    contact = {"kind": "Contacts", "operation": "create", "id": 7, "at": NOON.isoformat()}
    account = {**contact, "kind": "Accounts", "id": 8, "record": {"Account_Name": "Berg Ltd"}}
    contact["record"] = {"Last_Name": "Quist", "Account_Name": "8"}
    employed, firm = client(90210, "Quist", "ref 1"), client(90211, "", "ref 2")
    for each in (employed, firm):
        each["record"]["organization"] = "Berg Ltd"
    found(book, [contact, account, employed, firm])
    ledger = Ledger(book, CRMS["zoho_crm"].names).read_on()
    audit = [IN_ORDER, replace(IN_ORDER, seq=2, crm_id="8", books_id="90211")]
    assert [each for each in judged(ledger, audit) if each.count] == []
    assert ledger.served() == 2


def test_a_party_without_a_client_is_lost(book: Path) -> None:
    wrong = found(book, [party(7, "Quist"), client(90210, "Quist", "ref 1"), party(8, "Berg")])
    assert wrong == {"parties without a client": Finding("parties without a client", 1, ["8"])}


def test_a_client_that_was_deleted_does_not_count(book: Path) -> None:
    entries = [party(7, "Quist"), client(90210, "Quist", "ref 1")]
    entries.append(client(90210, "Quist", "ref 1", operation="update", vis_state=1))
    assert "parties without a client" in found(book, entries)


def test_two_clients_of_one_party_are_found_by_name_and_by_reference(book: Path) -> None:
    wrong = found(book, [party(7, "Quist"), client(90210, "Quist", "ref 1"), client(90211, "Quist", "ref 1")])
    assert wrong["parties with two clients"].offenders == ["Quist: 90210, 90211"]
    assert wrong["references on two clients"].offenders == ["ref 1"]


def test_a_client_that_belongs_to_no_party_is_found(book: Path) -> None:
    wrong = found(book, [party(7, "Quist"), client(90210, "Quist", "ref 1"), client(90211, "Void", "ref 2")])
    assert wrong["clients of nobody"].offenders == ["90211"]


def test_a_create_that_the_audit_log_does_not_know_is_found(book: Path) -> None:
    assert "creates without an audit row" in found(book, [party(7, "Quist"), client(90210, "Quist", "ref 1")], [])


def test_an_audit_row_for_a_create_that_never_happened_is_found(book: Path) -> None:
    audit = [IN_ORDER, replace(IN_ORDER, seq=2, crm_id="8", books_id="90999")]
    wrong = found(book, [party(7, "Quist"), client(90210, "Quist", "ref 1")], audit)
    assert wrong["audit rows without a create"].offenders == ["90999"]


def test_a_create_that_was_written_down_twice_is_found(book: Path) -> None:
    audit = [IN_ORDER, replace(IN_ORDER, seq=2, action="adopt")]
    assert "creates with two audit rows" in found(book, [party(7, "Quist"), client(90210, "Quist", "ref 1")], audit)


def test_a_link_to_somebody_elses_client_is_found(book: Path) -> None:
    entries = [party(7, "Quist"), party(8, "Berg"), client(90210, "Quist", "ref 1"), client(90211, "Berg", "ref 2")]
    audit = [replace(IN_ORDER, crm_id="8"), replace(IN_ORDER, seq=2, crm_id="7", books_id="90211")]
    assert found(book, entries, audit)["audit rows that name another party"].offenders == ["row 1", "row 2"]


def test_at_most_twenty_offenders_are_named(book: Path) -> None:
    wrong = found(book, [party(number, f"Number {number}") for number in range(30)], [])
    assert (wrong["parties without a client"].count, len(wrong["parties without a client"].offenders)) == (30, 20)


def test_a_line_that_is_still_being_written_is_read_the_next_time(book: Path) -> None:
    line = json.dumps(party(7, "Quist")) + "\n"
    book.write_text(line[:20])
    ledger = Ledger(book).read_on()
    assert ledger.parties == {}
    book.write_text(line)
    assert ledger.read_on().parties == {7: "Quist"}


@pytest.mark.parametrize(("seconds", "counted"), [(4.4, 0), (4.6, 1)])
def test_only_a_client_found_after_the_settle_time_counts_as_waited_for(
    book: Path, seconds: float, counted: int
) -> None:
    found(book, [party(7, "Quist"), client(90210, "Quist", "ref 1")])
    adopted = replace(IN_ORDER, action="adopt", at=NOON + timedelta(seconds=seconds))
    assert waited(Ledger(book).read_on(), [adopted], at_least=4.5) == counted
