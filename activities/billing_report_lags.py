"""How long time waits for its invoice, and an invoice for its money: the median and the slowest tenth, by month.

A wait belongs to the month in which it ended, so that the months before and after a change can be compared.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from activities.billing_report_facts import ReportFacts, ReportInvoice
from activities.billing_report_models import Basis, LagRow, Step
from mapping.payments import Reconciled


@dataclass
class _Waits:
    """The waits of one month, in days, and whose they are."""

    days: list[int] = field(default_factory=list)
    unmeasured: int = 0
    invoice_ids: set[int] = field(default_factory=set)


_Months = dict[tuple[Step, Basis, str], _Waits]


def lags(facts: ReportFacts, reconciled: Reconciled, as_of: date) -> list[LagRow]:
    """Return the waits that ended in the period, by step, basis and month. Drafts are no end: nobody has got them."""
    found: _Months = defaultdict(_Waits)
    sent = {each.id: each for each in facts.invoices if not each.is_draft}
    ended = {number: each for number, each in sent.items() if facts.first <= each.day <= as_of}
    _known(facts, ended, found)
    _estimated(facts, sent, ended, found)
    _to_cash(reconciled, sent, (facts.first, as_of), found)
    return [_row(key, found[key]) for key in sorted(found)]


def median(days: Sequence[int]) -> Decimal | None:
    """Return the middle one, or what lies between the middle two; None of nothing.

    >>> median([30, 2, 3, 8])
    Decimal('5.5')
    """
    ordered, middle = sorted(days), len(days) // 2
    if not ordered:
        return None
    return Decimal(ordered[middle]) if len(ordered) % 2 else Decimal(ordered[middle - 1] + ordered[middle]) / 2


def slowest_tenth(days: Sequence[int]) -> int | None:
    """Return the 90th percentile by nearest rank, which is one of the waits themselves; None of nothing."""
    return sorted(days)[-(-9 * len(days) // 10) - 1] if days else None


def _known(facts: ReportFacts, ended: Mapping[int, ReportInvoice], found: _Months) -> None:
    """Add the entries of the invoices that we made. Those that were logged before the report looks are counted."""
    logged = {each.id: each.day for each in facts.entries}
    for invoice_id, entry_ids in facts.bills.items():
        invoice = ended.get(invoice_id)
        if invoice is None or not entry_ids:
            continue
        waits = found[Step.TO_INVOICE, Basis.KNOWN, _month(invoice.day)]
        waits.invoice_ids.add(invoice_id)
        waits.days += [(invoice.day - logged[each]).days for each in entry_ids if each in logged]
        waits.unmeasured += sum(each not in logged for each in entry_ids)


def _estimated(
    facts: ReportFacts, sent: Mapping[int, ReportInvoice], ended: Mapping[int, ReportInvoice], found: _Months
) -> None:
    """Add the entries that a person billed: FreshBooks does not say on which invoice, so it is the client's next."""
    billed_by_us = {number for entry_ids in facts.bills.values() for number in entry_ids}
    by_client: dict[int, list[tuple[date, int]]] = defaultdict(list)
    for invoice in sorted(sent.values(), key=lambda each: (each.day, each.id)):
        if invoice.id not in facts.bills:
            by_client[invoice.client_id].append((invoice.day, invoice.id))
    for entry in facts.entries:
        if not entry.is_billed or entry.id in billed_by_us:
            continue
        following = by_client.get(facts.owner_of(entry) or 0, [])
        place = bisect_left(following, (entry.day, 0))
        if place < len(following) and following[place][1] in ended:
            day, invoice_id = following[place]
            waits = found[Step.TO_INVOICE, Basis.ESTIMATED, _month(day)]
            waits.days.append((day - entry.day).days)
            waits.invoice_ids.add(invoice_id)


def _to_cash(
    reconciled: Reconciled, sent: Mapping[int, ReportInvoice], period: tuple[date, date], found: _Months
) -> None:
    """Add the invoices that became fully paid in the period, on the day of the payment that completed them."""
    for invoice_id, day in _paid_days(reconciled):
        if invoice_id in sent and period[0] <= day <= period[1]:
            waits = found[Step.TO_CASH, Basis.KNOWN, _month(day)]
            waits.days.append((day - sent[invoice_id].day).days)
            waits.invoice_ids.add(invoice_id)


def _paid_days(reconciled: Reconciled) -> Iterator[tuple[int, date]]:
    last: dict[int, date] = {}
    for each in reconciled.allocations:
        if each.applied.minor and each.payment.invoice_id:
            last[each.payment.invoice_id] = max(each.payment.day, last.get(each.payment.invoice_id, date.min))
    for balance in reconciled.balances:
        if balance.outstanding.minor == 0 and balance.invoice.id in last:
            yield balance.invoice.id, last[balance.invoice.id]


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _row(key: tuple[Step, Basis, str], waits: _Waits) -> LagRow:
    step, basis, month = key
    return LagRow(
        step=step,
        basis=basis,
        month=month,
        count=len(waits.days),
        median=median(waits.days),
        p90=slowest_tenth(waits.days),
        unmeasured=waits.unmeasured,
        invoice_ids=sorted(waits.invoice_ids),
    )
