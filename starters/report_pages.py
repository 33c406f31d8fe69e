"""The billing report as one page of HTML that needs no network, no script, and can be printed."""

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from starters.charts import Bar, Chart, bar_chart
from starters.report_tables import BUCKETS, PLURALS, STEPS, Cell, duration_text, money_number, tables
from workflows.billing_reports import BillingReport, By, HoursKind

TEMPLATES = Path(__file__).parent / "templates"
MOST_IDS = 200  # of one number: the workbook has more
MOST_BARS = 15


class Addresses:
    """Where people see a record. `patterns` are by kind of record, with `{id}` in the place of its id."""

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self._patterns = patterns

    def of(self, record: str, record_id: int) -> str | None:
        """Return the address of a record, None where the settings name none."""
        pattern = self._patterns.get(record)
        return None if pattern is None else pattern.replace("{id}", str(record_id))

    def of_one(self, cell: Cell) -> str | None:
        """Return the address of the one record of a cell; None for several, and for a number that hides them."""
        return self.of(cell.record, cell.ids[0]) if len(cell.ids) == 1 else None


def page(report: BillingReport, addresses: Addresses) -> str:
    """Return the whole page. Names come from customers: everything is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "exact": lambda cell: exact(cell, report.decimals),
        "words": lambda cell: words(cell, report.decimals),
        "link": addresses.of_one,
        "records": lambda cell: _records(cell, addresses),
    }
    nonce = base64.b64encode(secrets.token_bytes(12)).decode()
    template = environment.get_template("billing_report.html.j2")
    return template.render(report=report, tables=tables(report), charts=charts(report), nonce=nonce)


def exact(cell: Cell, digits: Mapping[str, int]) -> str:
    """Return a value as programs read it: seconds, an amount with all decimals of its currency, ISO 8601 days."""
    if isinstance(cell.value, int) and cell.unit == "money":
        return f"{money_number(cell.value, digits[cell.currency]):f}"
    return "" if cell.value is None else str(cell.value)


def words(cell: Cell, digits: Mapping[str, int]) -> str:
    """Return a value as people read it: hours as h:mm, thousands apart."""
    if isinstance(cell.value, int) and cell.unit == "hours":
        return duration_text(cell.value)
    if isinstance(cell.value, int) and cell.unit == "money":
        return f"{money_number(cell.value, digits[cell.currency]):,f}"
    if isinstance(cell.value, int):
        return f"{cell.value:,}"
    return "" if cell.value is None else str(cell.value)


def charts(report: BillingReport) -> dict[str, list[Chart]]:
    """Return the charts, by the table that they stand above."""
    return {
        "hours-by-client": _hours_chart(report, By.CLIENT),
        "hours-by-person": _hours_chart(report, By.PERSON),
        "ages": [_ages_chart(report, each.currency) for each in report.sums if each.outstanding],
        "lags": _lag_charts(report),
    }


def _hours_chart(report: BillingReport, by: By) -> list[Chart]:
    sums = report.hours_by(by)
    bars = []
    for each in sums[:MOST_BARS]:
        seconds = [each.parts[kind].seconds for kind in HoursKind]
        bars.append(
            Bar(report.names.of(by, each.record_id), seconds, " + ".join(duration_text(own) for own in seconds))
        )
    more = f", the first {MOST_BARS} of {len(sums)}" if len(sums) > MOST_BARS else ""
    parts = ("billed", "unbilled", "not billable")
    return [bar_chart(f"chart-{by.value}", f"Hours by {by.value}{more}", parts, bars)] if bars else []


def _ages_chart(report: BillingReport, currency: str) -> Chart:
    bars = []
    for name in BUCKETS:
        minor = sum(each.minor for each in report.ages if (each.currency, each.bucket) == (currency, name))
        bars.append(Bar(_bucket(name), [minor], f"{money_number(minor, report.decimals[currency]):,f} {currency}"))
    return bar_chart(f"chart-ages-{currency}", f"Outstanding in {currency}, by age", ("outstanding",), bars)


def _bucket(name: str) -> str:
    return "not due" if name == "not-due" else f"{name.replace('over-', 'over ')} days"


def _lag_charts(report: BillingReport) -> list[Chart]:
    found: dict[str, list[Bar]] = {}
    for row in report.lags:
        if row.median is None or row.p90 is None:
            continue
        middle = int(row.median * 2)  # half days, so that every length is whole
        bar = Bar(row.month, [middle, 2 * row.p90 - max(0, middle)], f"{row.median}, slowest tenth {row.p90} days")
        title = f"Median days {STEPS[row.step]}, {row.basis.value}"
        found.setdefault(title, []).append(bar)
    parts = ("median", "to the slowest tenth")
    return [bar_chart(f"chart-lag-{place}", title, parts, bars) for place, (title, bars) in enumerate(found.items())]


def _records(cell: Cell, addresses: Addresses) -> Markup:
    """Return the ids of a number's records, those that have an address as links."""
    shown = [_linked(each, addresses.of(cell.record, each)) for each in cell.ids[:MOST_IDS]]
    more = f" and {len(cell.ids) - MOST_IDS} more" if len(cell.ids) > MOST_IDS else ""
    return Markup("{} {}{}").format(_kind(cell), Markup(", ").join(shown), more)


def _linked(record_id: int, address: str | None) -> Markup:
    if address is None:
        return Markup("{}").format(record_id)
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(address, record_id)


def _kind(cell: Cell) -> str:
    return PLURALS[cell.record] if len(cell.ids) > 1 else cell.record.replace("-", " ")
