"""The billing report as a workbook: one sheet for each table, numbers as numbers, dates as dates, no formulas."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from starters.report_pages import Addresses
from starters.report_tables import PLURALS, Cell, ReportTable, money_number

OPTIONS = {
    # Names come from customers: "=cmd|…" is a name, and so is "https://…".
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "in_memory": True,  # nothing of it touches a disk before its owner alone may read it
}
MOST_DIGITS = 15
"""Spreadsheets keep no more digits of a number; an amount with more is written as text."""
LONGEST_TEXT = 32_767
WIDEST = 60


def workbook(tables: Sequence[ReportTable], decimals: Mapping[str, int], addresses: Addresses) -> bytes:
    """Return an XLSX file. Behind the columns of a table stand the records that its numbers are made of."""
    target = BytesIO()
    book = xlsxwriter.Workbook(target, OPTIONS)
    sheets = _Sheets(book, decimals, addresses)
    for table in tables:
        sheets.add(table)
    book.close()
    return target.getvalue()


class _Sheets:
    """A workbook that is being written, with its formats."""

    def __init__(self, book: Any, decimals: Mapping[str, int], addresses: Addresses) -> None:
        self._book, self._decimals, self._addresses = book, decimals, addresses
        self._formats: dict[tuple[str, bool], Any] = {}

    def add(self, table: ReportTable) -> None:
        """Write one table: its headings, which stay in sight, and its rows."""
        sheet = self._book.add_worksheet(table.sheet)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        listed = _with_records(table)
        headings = [*table.headings, *(_heading(table, place) for place in listed)]
        for column, heading in enumerate(headings):
            sheet.write_string(0, column, heading, self._format("", bold=True))
            sheet.set_column(column, column, _width(table, column, heading))
        for number, row in enumerate(table.all_rows, 1):
            bold = row is table.total
            for column, cell in enumerate(row):
                self._write(sheet, (number, column), cell, bold=bold)
            for column, place in enumerate(listed, len(row)):
                if row[place].ids:
                    sheet.write_string(number, column, _records(row[place]))

    def _write(self, sheet: Any, place: tuple[int, int], cell: Cell, *, bold: bool) -> None:
        form = self._format(self._number_format(cell), bold=bold)
        match cell.value:
            case None:
                sheet.write_blank(*place, None, form)
            case date():
                sheet.write_datetime(*place, cell.value, form)
            case int() if cell.unit == "hours":
                sheet.write_datetime(*place, timedelta(seconds=cell.value), form)
            case int() if cell.unit == "money":
                self._amount(sheet, place, money_number(cell.value, self._decimals[cell.currency]), form)
            case int() | Decimal():
                sheet.write_number(*place, cell.value, form)
            case text:
                self._text(sheet, place, cell, text[:LONGEST_TEXT], form)

    def _amount(self, sheet: Any, place: tuple[int, int], amount: Decimal, form: Any) -> None:
        if len(amount.as_tuple().digits) > MOST_DIGITS:
            sheet.write_string(*place, f"{amount:f}", form)
        else:
            sheet.write_number(*place, amount, form)

    def _text(self, sheet: Any, place: tuple[int, int], cell: Cell, text: str, form: Any) -> None:
        address = self._addresses.of_one(cell)
        if address is None:
            sheet.write_string(*place, text, form)
        else:
            sheet.write_url(*place, address, form, text)

    def _number_format(self, cell: Cell) -> str:
        if cell.unit == "hours":
            return "[h]:mm:ss" if isinstance(cell.value, int) and cell.value % 60 else "[h]:mm"
        if cell.unit == "money":
            digits = self._decimals[cell.currency]
            return f"#,##0.{'0' * digits}" if digits else "#,##0"
        return {"day": "yyyy-mm-dd", "days": "0.0", "count": "#,##0"}.get(cell.unit, "")

    def _format(self, number: str, *, bold: bool) -> Any:
        key = (number, bold)
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"num_format": number or "General", "bold": bold})
        return self._formats[key]


def _with_records(table: ReportTable) -> list[int]:
    """Return the columns whose numbers are made of records."""
    columns = range(len(table.headings))
    return [place for place in columns if any(row[place].ids and row[place].unit != "text" for row in table.rows)]


def _heading(table: ReportTable, place: int) -> str:
    record = next(row[place].record for row in table.rows if row[place].ids)
    return f"{PLURALS[record]} of {table.headings[place]}"


def _records(cell: Cell) -> str:
    """Return the ids of a number's records. What does not fit into a cell is counted."""
    text = ", ".join(str(each) for each in cell.ids)
    if len(text) <= LONGEST_TEXT:
        return text
    kept = text[: LONGEST_TEXT - 40].rsplit(", ", 1)[0]
    return f"{kept} and {len(cell.ids) - kept.count(',') - 1} more"


def _width(table: ReportTable, column: int, heading: str) -> int:
    """Return how wide a column is, in letters: as its longest text, within reason."""
    texts = [str(row[column].value or "") for row in table.all_rows if column < len(row)]
    return min(WIDEST, max(10, len(heading), *(len(each) for each in texts), 0)) + 2
