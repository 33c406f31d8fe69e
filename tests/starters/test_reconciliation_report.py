"""The mismatch report as a page, a workbook and JSON: the same numbers, safe with any name."""

import json
import re
import stat
from collections.abc import Sequence
from dataclasses import asdict, replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest

from runtime.errors import Stop
from starters.reconciliation_files import chosen_formats, write_files
from starters.reconciliation_page import MOST_OF_A_KIND, mismatch_page
from starters.reconciliation_report import MismatchReport, NoSuchReport, gathered
from starters.reconciliation_tables import summary_tables, workbook_tables
from starters.reconciliation_texts import exit_code
from starters.reconciliation_workbook import mismatch_json, mismatch_workbook
from store.reconciliation_models import ReportHead, SideCount
from store.reconciliation_pieces import NewReport, Outcome
from store.store import Store
from tests.starters.planted_reports import EARLIER, EVIL, HASH, HEAD, MISMATCHES, planted


class Page(HTMLParser):
    """What a browser makes of a page: the exact values of its tables, its tags, and its text."""

    def __init__(self, report: MismatchReport) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._section = ""
        self.feed(mismatch_page(report))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.tags.append((tag, said))
        if tag == "section":
            self._section = said["id"] or ""
            self.tables[self._section] = []
        elif tag == "tr":
            self.tables[self._section].append([])
        elif tag == "data":
            self.tables[self._section][-1].append(said["value"] or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def sheets(report: MismatchReport) -> Any:
    return openpyxl.load_workbook(BytesIO(mismatch_workbook(report)))


def sheet_rows(sheet: Any) -> list[list[str]]:
    return [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(min_row=2, values_only=True)]


async def keep(store: Store, report: MismatchReport) -> MismatchReport:
    """Keep a report as the engine does, and gather it again."""
    kept, head = store.reconciliations, report.head
    await kept.begin(NewReport(head.id, head.connection, head.flow, "v1"), head.started_at)
    await kept.add([kept.row(head.id, each, f"f{each.number}") for each in report.mismatches])
    names = ("sides", "in_step", "counts", "causes", "new_mismatches", "sums")
    outcome = Outcome(**{name: getattr(head, name) for name in names})
    assert await kept.finish(head.id, outcome, head.content_hash)
    return await gathered(kept, head.id)


async def test_a_report_is_gathered_as_the_engine_left_it(store: Store) -> None:
    """S32: every mismatch and number comes through the store unchanged; earlier reports make the trend."""
    first = replace(HEAD, id="acme-clients-06", counts={}, causes={}, new_mismatches=0, sums=())
    await keep(store, MismatchReport(first, ()))
    made = await keep(store, planted())
    assert made.mismatches == MISMATCHES
    same = ("sides", "in_step", "counts", "causes", "new_mismatches", "sums", "content_hash")
    assert [getattr(made.head, name) for name in same] == [getattr(HEAD, name) for name in same]
    assert [each.id for each in made.earlier] == ["acme-clients-06"]


async def test_a_report_of_very_many_differences_is_gathered_whole(sqlite_store: Store) -> None:
    many = tuple(replace(MISMATCHES[0], number=number) for number in range(1, 2_206))
    made = await keep(sqlite_store, MismatchReport(replace(HEAD, counts={"missing-right": 2_205}), many))
    assert [each.number for each in made.mismatches] == list(range(1, 2_206))


async def test_a_report_that_is_none_says_where_they_are_listed(sqlite_store: Store) -> None:
    with pytest.raises(NoSuchReport, match=r"no report acme-x; `ledgerline reconcile --list`"):
        await gathered(sqlite_store.reconciliations, "acme-x")


async def test_of_an_erased_report_the_numbers_stay_and_that_is_said(sqlite_store: Store) -> None:
    """The engine forgets what reports say of records after 30 days, or when a person is erased."""
    await keep(sqlite_store, planted())
    await sqlite_store.reconciliations.erase_values("acme")
    made = await gathered(sqlite_store.reconciliations, HEAD.id)
    assert made.is_forgotten
    assert not planted().is_forgotten
    page = Page(made)
    assert "names and values of these differences are not kept any more" in page.text
    assert "Acme Ltd" not in page.text
    assert page.tables["kinds"] == Page(planted()).tables["kinds"]


def test_page_workbook_and_json_hold_the_same_numbers() -> None:
    """S8, S32, Z8, Z93: all are made from one object; every cell of every table is compared."""
    made = planted()
    page, book, data = Page(made), sheets(made), json.loads(mismatch_json(made))
    compared = 0
    for table in summary_tables(made):
        written = [[_plain(cell) for cell in row] for row in sheet_rows(book[table.sheet])]
        spelt = [[_plain(cell) for cell in row] for row in page.tables[table.key] if row]
        assert written == spelt, table.key
        compared += sum(len(row) for row in spelt)
    assert compared > 100
    head = data["report"]
    assert (head["mismatch_count"], head["new_mismatches"], head["in_step"]) == (7, 4, 1_195)
    assert [row[1] for row in page.tables["kinds"] if row] == [*map(str, _in_order(head["counts"])), "7"]
    assert [(each["id"], each["mismatch_count"]) for each in data["earlier"]] == [(e.id, e.mismatches) for e in EARLIER]


def test_every_difference_stands_in_all_three_with_both_values() -> None:
    """S31, S33: a difference that one of the files leaves out would be found by nobody."""
    made = planted()
    page, rows, data = Page(made), sheet_rows(sheets(made)["Differences"]), json.loads(mismatch_json(made))
    assert sorted({int(row[0]) for row in rows}) == [each["number"] for each in data["mismatches"]] == list(range(1, 8))
    told = " ".join(page.text.split())
    for each in MISMATCHES:
        own = [row for row in rows if row[0] == str(each.number)]
        assert [tuple(row[5:8]) for row in own] == [(d.name, d.crm or "", d.books or "") for d in each.drifts] or [
            ("", "", "")
        ]
        assert each.name in told
        assert all(record in told for record in (*each.crm_ids, *each.books_ids))
        assert all(value is None or value in told for drift in each.drifts for value in (drift.crm, drift.books))
    as_kept = json.loads(json.dumps([asdict(each) for each in MISMATCHES]))
    assert [{name: said for name, said in each.items() if name != "to_do"} for each in data["mismatches"]] == as_kept


def test_nothing_and_empty_are_told_apart() -> None:
    """A side that lacks a phone number is not one that says it is empty."""
    made = planted()
    drifts = [each["drifts"] for each in json.loads(mismatch_json(made))["mismatches"]]
    assert (drifts[3][1]["crm"], drifts[4][0]["books"]) == (None, "")
    shown_as = re.findall(r'<span class="nothing">(\w+)</span>', mismatch_page(made))
    assert shown_as == ["nothing", "empty"]


def test_sums_are_exact_in_the_decimals_of_their_currency() -> None:
    """EUR 2, JPY 0, KWD 3; 25 cents apart are 25 cents, and currencies are never added."""
    rows = {row[0]: row for row in Page(planted()).tables["sums"] if row}
    assert rows["EUR"] == ["EUR", "paid", "2", "1234.50", "2", "1234.25", "0.25"]
    assert rows["JPY"][3:] == ["125000", "0", "0", "125000"]
    assert rows["KWD"][5:] == ["99.125", "-99.125"]
    cell = sheets(planted())["Sums"]["G2"]
    assert (cell.value, cell.number_format) == (0.25, "#,##0.00")
    assert [each["amount"] for each in json.loads(mismatch_json(planted()))["report"]["sums"]] == [
        "1234.50",
        "1234.25",
        "125000",
        "99.125",
    ]


def test_a_side_without_any_sums_is_unknown_and_not_zero() -> None:
    books_only = tuple(each for each in HEAD.sums if each.side == "books")
    rows = [row for row in Page(replace(planted(), head=replace(HEAD, sums=books_only))).tables["sums"] if row]
    assert rows[0] == ["EUR", "paid", "", "", "2", "1234.25", ""]


def test_a_name_that_is_a_formula_or_markup_is_a_name() -> None:
    """A customer may be called anything, and all files are opened by people who trust us."""
    made = planted()
    cells = [cell for row in sheets(made)["Differences"].iter_rows() for cell in row if cell.value == EVIL]
    assert [cell.data_type for cell in cells] == ["s", "s"]
    page = Page(made)
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert page.text.count("<script>alert(1)</script>") == 2


def test_the_page_asks_nothing_of_the_network_and_its_links_lead_somewhere() -> None:
    page = Page(planted())
    policy = [said["content"] for _, said in page.tags if said.get("http-equiv") == "Content-Security-Policy"]
    assert policy[0] is not None
    assert policy[0].startswith("default-src 'none'; style-src 'nonce-")
    assert not [said for _, said in page.tags if "src" in said or "style" in said]
    ids = [said["id"] for _, said in page.tags if said.get("id")]
    assert len(ids) == len(set(ids))
    links = {said["href"] for tag, said in page.tags if tag == "a"}
    assert links == {f"#{kind}" for kind in HEAD.counts}
    assert {(link or "")[1:] for link in links} <= set(ids)


def test_an_incomplete_comparison_never_looks_like_a_good_one() -> None:
    """S33: what was not read may differ, so nothing found means nothing."""
    short = replace(_clean(), sides=(HEAD.sides[0], SideCount("books", "freshbooks", 300, 3, is_complete=False)))
    page = Page(MismatchReport(short, ()))
    assert "Not complete: not all of FreshBooks is sure to have been read" in page.text
    assert "300 records on 3 pages" in page.text
    assert "Nothing that differs was found so far. Not all was compared." in page.text
    assert [said["class"] for _, said in page.tags if said.get("role") == "status"] == ["verdict bad"]
    assert exit_code(short) == 2


@pytest.mark.parametrize(
    ("head", "code", "tone"),
    [
        (replace(HEAD, counts={}, causes={}), 0, "good"),
        (replace(HEAD, counts={"missing-right": 3}, causes={"skipped-by-rule": 1, "excluded": 2}), 0, "good"),
        (replace(HEAD, counts={"missing-right": 3}, causes={"skipped-by-rule": 1, "held": 2}), 1, "look"),
        (replace(HEAD, state="failed", explanation="FreshBooks refused"), 2, "bad"),
        (replace(HEAD, state="running", sides=()), 2, "bad"),
        (replace(HEAD, sides=()), 2, "bad"),
    ],
)
def test_scripts_can_tell_from_the_exit_code_what_the_page_says(head: ReportHead, code: int, tone: str) -> None:
    assert exit_code(head) == code
    assert f'class="verdict {tone}"' in mismatch_page(MismatchReport(head, ()))


def test_what_was_handed_over_is_not_asked_of_the_reader_again() -> None:
    made = replace(planted(), head=replace(HEAD, repaired=2))
    assert made.to_do(MISMATCHES[0]) == "nothing: its sync was told"
    page = Page(made)
    assert "--repair" not in page.text
    assert "2 records handed to the syncs: compare again to see the result" in page.text


def test_the_trend_counts_up_to_this_report_and_says_it_in_words() -> None:
    """Z94: oldest first, new and known differences told apart without colour."""
    text = mismatch_page(planted())
    chart = re.search(r"<svg class=\"chart\".*?</svg>", text, re.DOTALL)
    assert chart is not None
    bars = re.findall(r">(\d+, \d+ new)<", chart.group())
    assert bars == ["10, 10 new", "12, 2 new", "0, 0 new", "3, 3 new", "3, 0 new", "7, 4 new"]
    assert '<svg class="chart"' not in mismatch_page(MismatchReport(HEAD, MISMATCHES))


def test_of_very_many_differences_the_page_shows_the_first_and_says_so() -> None:
    count = MOST_OF_A_KIND + 5
    many = tuple(replace(MISMATCHES[0], number=number) for number in range(1, count + 1))
    made = MismatchReport(replace(HEAD, counts={"missing-right": count}), many)
    assert "The first 1,000 are shown; the workbook and the JSON file have them all." in Page(made).text
    assert sheets(made)["Differences"].max_row == count + 1


def test_what_does_not_fit_into_a_sheet_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows beyond the last that a sheet can hold would be lost without a word."""
    monkeypatch.setattr("starters.reconciliation_tables.MOST_ROWS", 7)  # there are 8: one difference has two fields
    book = sheets(planted())
    assert book["Differences"].max_row == 1 + 7
    assert "the first 7 rows are shown; the JSON file has all" in {row[1] for row in sheet_rows(book["Report"])}


def test_the_content_hash_is_in_all_three() -> None:
    made = planted()
    assert HASH in Page(made).text
    assert HASH in {row[1] for row in sheet_rows(sheets(made)["Report"])}
    assert json.loads(mismatch_json(made))["report"]["content_hash"] == HASH


def test_sheet_names_fit_into_a_workbook() -> None:
    names = [each.sheet for each in workbook_tables(planted())]
    assert all(len(each) <= 31 for each in names)
    assert len(set(names)) == len(names)


def test_only_their_owner_may_read_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "mismatches-acme-clients-07.html").touch(mode=0o644)
    written = write_files(planted(), folder, chosen_formats(None, folder))
    assert [each.name for each in written] == [
        f"mismatches-acme-clients-07.{each}" for each in ("html", "xlsx", "json")
    ]
    assert {stat.S_IMODE(each.stat().st_mode) for each in written} == {0o600}


def test_a_folder_that_cannot_be_made_is_said_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(Stop, match=r"taken/reports cannot be made"):
        write_files(planted(), tmp_path / "taken" / "reports", ("html",))


def test_formats_are_checked_before_anything_is_compared(tmp_path: Path) -> None:
    assert chosen_formats("json, html", tmp_path) == ("json", "html")
    assert chosen_formats(None, None) == ()
    with pytest.raises(Stop, match="pdf is no format: choose of html,xlsx,json"):
        chosen_formats("html,pdf", tmp_path)
    with pytest.raises(Stop, match="--out FOLDER"):
        chosen_formats("html", None)


def _clean() -> ReportHead:
    return replace(HEAD, counts={}, causes={}, new_mismatches=0, sums=())


def _in_order(counts: dict[str, int]) -> Sequence[int]:
    order = ("missing-left", "missing-right", "field-drift", "duplicate", "orphaned-link")
    return [counts[kind] for kind in order]


def _plain(spelt: str) -> str:
    """Return a number as both spell it: a workbook's 1234.5 is the page's 1234.50."""
    return spelt.rstrip("0").rstrip(".") if re.fullmatch(r"-?\d+\.\d+", spelt) else spelt
