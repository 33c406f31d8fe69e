"""A mismatch report as a workbook, and as JSON with exact values."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from starters.reconciliation_report import MismatchReport
from starters.reconciliation_tables import digits, workbook_tables
from starters.reconciliation_texts import completeness, verdict
from starters.report_pages import Addresses
from starters.report_tables import money_number
from starters.workbooks import workbook
from store.reconciliation_models import AmountSum, ReportHead
from workflows.currencies import decimals


def mismatch_workbook(report: MismatchReport) -> bytes:
    """Return an XLSX file. What people wrote stays text: a customer called `=cmd|…` is a name."""
    return workbook(workbook_tables(report), digits(report), Addresses({}))


def mismatch_json(report: MismatchReport) -> str:
    """Return all of a report for programs: amounts in minor units and as text, instants in ISO 8601, ids as text."""
    content = {
        "report": _head(report.head),
        "verdict": verdict(report.head),
        "completeness": completeness(report.head),
        "details_forgotten": report.is_forgotten,
        "mismatches": [asdict(each) | {"to_do": report.to_do(each)} for each in report.mismatches],
        "earlier": [_head(each) for each in report.earlier],
    }
    return json.dumps(content, ensure_ascii=False, indent=1, default=_instant) + "\n"


def _head(head: ReportHead) -> dict[str, Any]:
    numbers = {"mismatch_count": head.mismatches, "is_complete": head.is_complete}
    return asdict(head) | numbers | {"sums": [_sum(each) for each in head.sums]}


def _sum(each: AmountSum) -> dict[str, Any]:
    return asdict(each) | {"amount": f"{money_number(each.minor, decimals(each.currency)):f}"}


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not written to JSON")
