"""The billing report as a page and as a workbook: the same numbers, safe with any name, readable by their owner."""

import re
import stat
from datetime import date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

import starters.billing_report
from activities.billing_report_facts import Names, PaymentsRead, ReadForReport
from activities.billing_report_models import BillingReport
from runtime.load import load_settings
from runtime.queues import WORKFLOW_QUEUE
from starters.billing_report import CannotReport, chosen, days_of, report_billing, write
from starters.charts import Bar, bar_chart
from starters.report_pages import MOST_IDS, Addresses, page
from starters.report_tables import ReportTable, duration_text, tables
from starters.workbooks import workbook
from tests.billing_reports import busy_march, entry, invoice, payment, report
from tests.sandboxes import Firm
from tests.workflows.test_billing_reports import Account, serving

NOWHERE = Addresses({})
EVIL = '=cmd|"/c calc"!A1<script>alert(1)</script>'


class Reader(HTMLParser):
    """Reads the exact values of a page's tables, the tags in it, and its visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._section = ""

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

    @property
    def rows(self) -> dict[str, list[list[str]]]:
        """The rows of each table, without its headings."""
        return {key: [row for row in found if row] for key, found in self.tables.items()}


def read(made: BillingReport, addresses: Addresses = NOWHERE) -> Reader:
    reader = Reader()
    reader.feed(page(made, addresses))
    return reader


def sheets(made: BillingReport, addresses: Addresses = NOWHERE) -> Any:
    return openpyxl.load_workbook(BytesIO(workbook(tables(made), made.decimals, addresses)))


def plain(value: object) -> str:
    """Return a cell of a workbook as the page spells it: seconds, amounts, days."""
    if isinstance(value, timedelta):
        return str(round(value.total_seconds()))
    if isinstance(value, datetime):
        return value.date().isoformat()
    return "" if value is None else str(value)


def agree(cell: object, spelt: str) -> bool:
    """Return whether a workbook's value is what the page says: 1234.5 is 1234.50."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return Decimal(str(cell)) == Decimal(spelt)
    return plain(cell) == spelt


def test_page_and_workbook_hold_the_same_numbers() -> None:
    """S8, Z93: both come from one model; every cell of every table is compared."""
    made = busy_march()
    rows, book = read(made).rows, sheets(made)
    compared = 0
    for table in tables(made):
        lines = list(book[table.sheet].iter_rows(min_row=2))
        assert len(lines) == len(rows[table.key]) == len(table.all_rows)
        for line, spelt in zip(lines, rows[table.key], strict=True):
            values = [cell.value for cell in line[: len(table.headings)]]
            assert all(agree(value, text) for value, text in zip(values, spelt, strict=True)), (values, spelt)
            compared += len(spelt)
    assert compared > 100


def test_amounts_have_as_many_decimals_as_their_currency() -> None:
    """JPY 0, EUR 2, KWD 3: numbers, not texts."""
    sheet = sheets(busy_march())["Money"]
    lines = {line[0].value: line[1:6] for line in sheet.iter_rows(min_row=2)}
    assert [(each.value, each.number_format) for each in lines["EUR"]][:2] == [(1234.5, "#,##0.00"), (10, "#,##0.00")]
    assert (lines["JPY"][0].value, lines["JPY"][0].number_format) == (125_000, "#,##0")
    assert (lines["KWD"][4].value, lines["KWD"][4].number_format) == (99.125, "#,##0.000")
    assert "1,234.50" in read(busy_march()).text


def test_hours_and_dates_are_numbers_that_a_spreadsheet_can_add() -> None:
    book = sheets(busy_march())
    billed = book["Hours by client"]["B2"]
    assert (billed.value, billed.number_format) == (timedelta(hours=3, minutes=45), "[h]:mm")
    assert book["Invoices"]["C2"].value == datetime(2026, 3, 5)  # noqa: DTZ001
    assert book["Invoices"]["C2"].number_format == "yyyy-mm-dd"


def test_seconds_are_shown_where_there_are_any() -> None:
    assert [duration_text(each) for each in (0, 60, 3_600, 45_000, 45_015)] == [
        "0:00",
        "0:01",
        "1:00",
        "12:30",
        "12:30:15",
    ]


def test_a_name_that_is_a_formula_or_markup_is_a_name() -> None:
    """A customer may be called anything, and both files are opened by people who trust us."""
    names = Names(client={7: EVIL}, project={61: "https://evil.test/"}, person={7001: "<img src=x onerror=a()>"})
    plus = invoice(71, "2026-03-09", "80.00").model_copy(update={"number": "+1-2"})
    made = report([entry(1, "2026-03-02", "1:00")], [plus], names=names)
    cell = sheets(made)["Hours by client"]["A2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (EVIL, "s", None)
    assert sheets(made)["Hours by project"]["A2"].hyperlink is None
    assert sheets(made)["Invoices"]["A2"].data_type == "s"
    shown = read(made)
    assert not {"script", "img"} & {tag for tag, _ in shown.tags}
    assert "<script>alert(1)</script>" in shown.text


def test_the_page_asks_nothing_of_the_network() -> None:
    """One file: no script, no address but the ones within it, and a policy that forbids the rest."""
    shown = read(busy_march())
    policy = [said["content"] for tag, said in shown.tags if said.get("http-equiv") == "Content-Security-Policy"]
    assert policy[0] is not None
    assert policy[0].startswith("default-src 'none'; style-src 'nonce-")
    assert all(said["href"] is None or said["href"].startswith("#") for _, said in shown.tags if "href" in said)
    assert not [said for _, said in shown.tags if "src" in said or "style" in said]


def test_the_page_can_be_printed() -> None:
    assert "@media print" in page(busy_march(), NOWHERE)


def test_every_link_within_the_page_leads_to_a_table() -> None:
    shown = read(busy_march())
    places = {said["id"] for tag, said in shown.tags if tag == "section"}
    links = {(said["href"] or "")[1:] for tag, said in shown.tags if tag == "a"}
    assert links
    assert links <= places


def test_every_chart_has_a_title_and_says_its_values_as_text() -> None:
    """Readable without colour and without eyes: patterns, words at each bar, and a description."""
    text = page(busy_march(), NOWHERE)
    charts = re.findall(r"<svg class=\"chart\".*?</svg>", text, re.DOTALL)
    assert len(charts) == 6  # hours by client and by person, three currencies, one wait
    for each in charts:
        title, told = re.search(r'aria-labelledby="(\S+) (\S+)"', each).groups()  # type: ignore[union-attr]
        assert f'<title id="{title}">' in each
        assert f'<desc id="{told}">' in each
        assert not re.search(r"#[0-9a-f]{6}|rgb\(", each)
    assert "Ångström Mühle GmbH: 3:45 + 0:20 + 0:00" in text
    assert "1-30 days: 200.00 EUR" in text


def test_ids_of_a_page_s_charts_and_tables_are_given_once() -> None:
    given = [said["id"] for _, said in read(busy_march()).tags if said.get("id")]
    assert len(given) == len(set(given))


def test_the_longest_bar_fills_the_width_and_parts_lie_side_by_side() -> None:
    drawn = bar_chart("c", "Hours", ("billed", "unbilled"), [Bar("A", [300, 100], ""), Bar("B", [-5, 200], "")])
    first, second = drawn.bars
    assert [(each.x, each.width, each.pattern) for each in first.pieces] == [(190, 255, "solid"), (445, 85, "stripes")]
    assert [(each.x, each.width) for each in second.pieces] == [(190, 170)]


def test_parts_that_could_not_be_told_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 3 parts"):
        bar_chart("c", "Ages", ("a", "b", "c", "d"), [])


def test_each_number_shows_its_records() -> None:
    """S66: a number that nobody can check saves no time."""
    shown = read(busy_march()).text
    assert "time entries 901, 902" in shown
    assert "invoices 71, 74" in shown
    sheet = sheets(busy_march())["Hours by client"]
    headings = [cell.value for cell in sheet[1]]
    assert headings[5:] == ["time entries of billed", "time entries of unbilled", "time entries of not billable"]
    assert [cell.value for cell in sheet[2]][5:] == ["901, 902", "903", None]


def test_a_record_is_a_link_where_the_settings_know_its_address() -> None:
    addresses = Addresses({"invoice": "https://books.test/i/{id}", "time-entry": "https://books.test/t/{id}"})
    links = [said["href"] for tag, said in read(busy_march(), addresses).tags if tag == "a"]
    assert "https://books.test/i/71" in links
    assert "https://books.test/t/901" in links
    assert sheets(busy_march(), addresses)["Invoices"]["A2"].hyperlink.target == "https://books.test/i/71"


def test_of_very_many_records_the_page_names_the_first_and_the_workbook_all() -> None:
    made = report([entry(number, "2026-03-02", "0:01") for number in range(1, MOST_IDS + 13)])
    assert f"{MOST_IDS} and 12 more" in read(made).text
    assert sheets(made)["Hours by client"]["F2"].value.endswith(f", {MOST_IDS + 12}")


def test_an_amount_that_a_spreadsheet_would_round_is_written_as_text() -> None:
    made = report([], [invoice(71, "2026-03-09", "12345678901234567.89")])
    assert sheets(made)["Money"]["B2"].value == "12345678901234567.89"
    assert "12,345,678,901,234,567.89" in read(made).text


def test_an_empty_period_is_a_page_and_a_workbook_of_empty_tables() -> None:
    shown, book = read(report()), sheets(report())
    assert shown.text.count("None.") == len(shown.tables) == 11
    assert {sheet.max_row for sheet in book} == {1}


def test_money_that_was_given_back_is_below_zero() -> None:
    made = report([], [], [payment(5, "2026-03-09", "-12.50", 71)])
    assert read(made).rows["payments"][0][4:] == ["given back", "EUR", "-12.50"]


def test_what_is_missing_is_told() -> None:
    made = report(unreadable=["timers that still run: 2; their time counts once they have been stopped"])
    assert "timers that still run: 2" in read(made).text
    assert sheets(made)["Notes"]["A2"].value.startswith("timers that still run")


def test_sheet_names_fit_into_a_workbook() -> None:
    found: list[ReportTable] = tables(busy_march())
    assert all(len(each.sheet) <= 31 for each in found)
    assert len({each.sheet for each in found}) == len({each.key for each in found}) == len(found)


def test_only_their_owner_may_read_the_files(tmp_path: Path) -> None:
    """They hold personal data; a file that was there before, open to all, is closed too."""
    html, xlsx = tmp_path / "march.html", tmp_path / "march.xlsx"
    html.touch(mode=0o644)
    write(busy_march(), {}, html, xlsx)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (html, xlsx)] == [0o600, 0o600]
    assert html.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert openpyxl.load_workbook(xlsx).sheetnames[0] == "Money"


def test_a_file_that_cannot_be_written_is_said_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(CannotReport, match=r"missing/march\.html cannot be written"):
        write(busy_march(), {}, tmp_path / "missing" / "march.html", None)


async def test_a_report_without_a_file_is_refused_before_anything_is_read() -> None:
    with pytest.raises(CannotReport, match="--html FILE"):
        await report_billing(None, period="2026-03", first=None, last=None, html=None, xlsx=None)


def test_a_month_has_its_own_last_day() -> None:
    assert days_of("2024-02", None, None) == (date(2024, 2, 1), date(2024, 2, 29))
    assert days_of("2026-12", None, None) == (date(2026, 12, 1), date(2026, 12, 31))
    assert days_of(None, "2026-01-15", "2026-02-14") == (date(2026, 1, 15), date(2026, 2, 14))
    assert days_of(None, None, None) is None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("2026-3", None, None), "no month"),
        (("2026-13", None, None), "no day"),
        (("2026-03", "2026-03-01", None), "either a month"),
        ((None, "2026-03-01", None), "both the first day"),
        ((None, "2026-03-31", "2026-03-01"), "exchange --from and --to"),
        ((None, "31.3.2026", "2026-04-01"), "is no day"),
    ],
)
def test_days_that_are_none_are_refused_with_an_example(
    asked: tuple[str | None, str | None, str | None], said: str
) -> None:
    with pytest.raises(CannotReport, match=said):
        days_of(*asked)


def test_a_report_needs_a_connection_of_the_settings(installed: Path, firm: Firm) -> None:
    settings = load_settings()
    assert chosen(settings, None) == firm.name
    with pytest.raises(CannotReport, match=f"there is no connection other. Those in the settings: {firm.name}"):
        chosen(settings, "other")


async def test_the_command_writes_both_files_and_says_that_they_hold_personal_data(
    temporal: Client, installed: Path, firm: Firm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S8, Z93: the whole way, but for FreshBooks itself."""
    html, xlsx = tmp_path / "november.html", tmp_path / "november.xlsx"
    async with serving(temporal, Account(), firm.name, WORKFLOW_QUEUE):
        ended = await report_billing(None, period="2025-11", first=None, last=None, html=html, xlsx=xlsx)
    said = capsys.readouterr().out
    assert ended == 0
    assert "2025-11-01 to 2025-11-30" in said
    assert "personal data" in said
    assert "note: invoice 5 is not counted: it lacks a date" in said
    assert "Acme GmbH" not in said
    assert "Acme GmbH" in html.read_text(encoding="utf-8")
    assert openpyxl.load_workbook(xlsx)["Invoices"]["B2"].value == "Acme GmbH"


class Refusing(Account):
    """An account that may not read payments."""

    @activity.defn(name="read_report_payments")
    async def read_report_payments(self, asked: ReadForReport) -> PaymentsRead:
        raise ApplicationError("FreshBooks refused to list payments", type="Refused", non_retryable=True)


async def test_what_freshbooks_refuses_is_what_the_command_says(
    temporal: Client, installed: Path, firm: Firm, tmp_path: Path
) -> None:
    html = tmp_path / "november.html"
    async with serving(temporal, Refusing(), firm.name, WORKFLOW_QUEUE):
        with pytest.raises(CannotReport, match="could not be made: FreshBooks refused to list payments"):
            await report_billing(None, period="2025-11", first=None, last=None, html=html, xlsx=None)
    assert not html.exists()


async def test_a_report_that_nobody_makes_says_where_to_look(
    temporal: Client, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No worker runs."""
    monkeypatch.setattr(starters.billing_report, "PATIENCE", timedelta(seconds=1))
    with pytest.raises(CannotReport, match="not done within 0:00:01; `ledgerline doctor`"):
        await report_billing(None, period="2025-11", first=None, last=None, html=tmp_path / "a.html", xlsx=None)
