"""The words of a mismatch report, and what the terminal shows of it."""

from dataclasses import replace
from io import StringIO

from rich.console import Console

from starters.reconciliation_texts import completeness, to_do, verdict
from starters.reconciliation_views import listed, pages_read, shown
from store.reconciliation_pieces import ListProgress
from tests.starters.planted_reports import EARLIER, HEAD, MISMATCHES, planted


def printed(what: object) -> str:
    target = StringIO()
    Console(width=220, file=target).print(what)
    return target.getvalue()


def test_a_complete_comparison_says_what_it_read() -> None:
    assert completeness(HEAD) == (
        "Complete: both sides were read to their ends. "
        "Capsule: 1,204 records on 13 pages; FreshBooks: 1,201 records on 13 pages."
    )
    assert verdict(HEAD) == "6 differences found. 1 difference is as you chose."


def test_a_comparison_that_failed_says_why() -> None:
    failed = replace(HEAD, state="failed", explanation="FreshBooks refused to list clients.")
    assert verdict(failed) == "The comparison failed: FreshBooks refused to list clients."


def test_what_is_to_be_done_fits_cause_and_repair() -> None:
    """Z8: a reader who has to look up what to do saves no time."""
    assert [to_do(each) for each in MISMATCHES] == [
        "let its sync mend it: ledgerline reconcile --repair",
        "nothing, unless you change the rule",
        "make it in the CRM, or exclude it",
        "let its sync mend it: ledgerline reconcile --repair",
        "decide its hold: ledgerline holds list",
        "merge the two in their own system, or tell them apart",
        "nothing yet: it is looked up again by itself",
    ]


def test_the_terminal_shows_numbers_and_ids_and_no_names() -> None:
    """Terminals are shared and logged: names and values are in the files alone."""
    text = printed(shown(planted()))
    assert "6 differences found" in text
    assert "90301, 90302" in text
    assert "email, phone" in text
    assert not [said for said in ("Acme Ltd", "billing@acme.test", "script") if said in text]


def test_the_list_shows_the_trend_of_each_flow_by_itself() -> None:
    other = replace(EARLIER[0], id="beta-1", connection="beta", counts={"amount": 90})
    text = printed(listed((HEAD, other, *EARLIER)))
    trends = [line.split("│")[7].strip() for line in text.splitlines() if line.startswith("│")]
    assert trends == ["+4", "", "the same", "+3", "-12", "+2", ""]


def test_progress_is_told_by_pages() -> None:
    read = {"parties": ListProgress(0, 13, 1_204), "clients": ListProgress(4, 3, 300)}
    assert pages_read(replace(HEAD, state="running", sides=()), read) == (
        "report acme-clients-07: parties: 13 pages, 1,204 records, all read; clients: 3 pages, 300 records"
    )
