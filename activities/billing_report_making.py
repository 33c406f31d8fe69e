"""The billing report, computed: pure, from facts that were gathered before. Days are the firm's."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from activities.billing_report_facts import ReportEntry, ReportFacts, ReportInvoice, ReportPayment
from activities.billing_report_lags import lags
from activities.billing_report_models import AgeRow, BillingReport, CurrencySum, HoursKind, HoursRow, InvoiceRow
from mapping.allocations import Payment
from mapping.currencies import decimals
from mapping.money import Money
from mapping.payments import Invoice, InvoiceBalance, Reconciled, reconcile
from mapping.statements import Bucket, bucket_of


def make_report(facts: ReportFacts) -> BillingReport:
    """Return what the facts come to. The order of any list makes no difference; a record listed twice counts once."""
    seen = _once_each(facts)
    as_of = min(seen.last, seen.today)
    reconciled = _reconciled(seen, as_of)
    payments = _payments(seen, as_of)
    invoices = _invoice_rows(seen, reconciled)
    ages = _ages(reconciled, as_of)
    currencies = sorted({*_currencies(invoices), *_currencies(payments), *_currencies(ages)})
    return BillingReport(
        connection=seen.connection,
        first=seen.first,
        last=seen.last,
        zone=seen.zone,
        made_at=seen.made_at,
        as_of=as_of,
        is_over=seen.last < seen.today,
        hours=_hours(seen),
        invoices=invoices,
        payments=payments,
        ages=ages,
        lags=lags(seen, reconciled, as_of),
        sums=[_sum(each, invoices, payments, ages) for each in currencies],
        names=seen.names,
        decimals={each: decimals(each) for each in currencies},
        notes=[*seen.unreadable, *_astray_notes(reconciled, seen)],
    )


def _once_each(facts: ReportFacts) -> ReportFacts:
    """Return the facts in order, each record once: while a list is read its rows may shift, and one comes twice."""
    entries = {each.id: each for each in facts.entries}
    invoices = {each.id: each for each in facts.invoices}
    payments = {each.id: each for each in facts.payments}
    return facts.model_copy(
        update={
            "entries": sorted(entries.values(), key=lambda each: (each.day, each.id)),
            "invoices": sorted(invoices.values(), key=lambda each: (each.day, each.id)),
            "payments": sorted(payments.values(), key=lambda each: (each.day, each.id)),
        }
    )


def _hours(facts: ReportFacts) -> list[HoursRow]:
    """Return the time of the period by client, project, service, person and kind."""
    found: dict[tuple[int | None, int | None, int | None, int | None, HoursKind], list[ReportEntry]] = defaultdict(list)
    for entry in facts.entries:
        if facts.first <= entry.day <= facts.last:
            owner = facts.owner_of(entry)
            found[owner, entry.project_id, entry.service_id, entry.person_id, _kind(entry)].append(entry)
    ordered = sorted(found, key=lambda key: [(each is None, str(each).zfill(20)) for each in key])
    return [
        HoursRow(
            client_id=key[0],
            project_id=key[1],
            service_id=key[2],
            person_id=key[3],
            kind=key[4],
            seconds=sum(each.seconds for each in found[key]),
            entry_ids=sorted(each.id for each in found[key]),
        )
        for key in ordered
    ]


def _kind(entry: ReportEntry) -> HoursKind:
    """Time that is on an invoice is billed, whatever its tick for billable says."""
    if entry.is_billed:
        return HoursKind.BILLED
    return HoursKind.UNBILLED if entry.is_billable else HoursKind.NOT_BILLABLE


def _reconciled(facts: ReportFacts, as_of: date) -> Reconciled:
    """Weigh payments against invoices as both were at the end of a day."""
    invoices = [_invoice(each) for each in facts.invoices if each.day <= as_of]
    return reconcile(invoices, [_payment(each) for each in facts.payments if each.day <= as_of])


def _invoice(row: ReportInvoice) -> Invoice:
    """Return an invoice to be weighed. What FreshBooks shows as paid is of today, and not looked at."""
    amount, nothing = Money.of_minor(row.minor, row.currency), Money.of_minor(0, row.currency)
    return Invoice(row.id, row.client_id, amount, nothing, amount, "", row.due, row.is_draft)


def _payment(row: ReportPayment) -> Payment:
    amount = Money.of_minor(row.minor, row.currency)
    return Payment(row.id, amount, row.day, row.invoice_id, row.client_id, from_credit=row.from_credit)


def _invoice_rows(facts: ReportFacts, reconciled: Reconciled) -> list[InvoiceRow]:
    owed = {each.invoice.id: each.outstanding.minor for each in reconciled.balances}
    return [
        InvoiceRow(
            **each.model_dump(exclude={"client_name"}),
            outstanding=owed.get(each.id, each.minor),
            entry_ids=sorted(facts.bills.get(each.id, [])),
        )
        for each in facts.invoices
        if facts.first <= each.day <= facts.last
    ]


def _payments(facts: ReportFacts, as_of: date) -> list[ReportPayment]:
    """Return the payments of the period. One that names no client belongs to the client of its invoice."""
    owners = {each.id: each.client_id for each in facts.invoices}
    return [
        each.model_copy(update={"client_id": each.client_id or owners.get(each.invoice_id or 0)})
        for each in facts.payments
        if facts.first <= each.day <= as_of
    ]


def _ages(reconciled: Reconciled, as_of: date) -> list[AgeRow]:
    """Return what is outstanding, by the ages of statements. The customer has not got a draft, so it is not due."""
    found: dict[tuple[int, str, Bucket], list[InvoiceBalance]] = defaultdict(list)
    for balance in reconciled.balances:
        if balance.outstanding.minor:
            bucket = Bucket.NOT_DUE if balance.invoice.is_draft else bucket_of(balance.invoice.due, as_of)
            found[balance.invoice.client_id, balance.outstanding.currency, bucket].append(balance)
    order = list(Bucket)
    return [
        AgeRow(
            client_id=key[0],
            currency=key[1],
            bucket=key[2].value,
            minor=sum(each.outstanding.minor for each in found[key]),
            invoice_ids=[each.invoice.id for each in found[key]],
        )
        for key in sorted(found, key=lambda key: (key[1], key[0], order.index(key[2])))
    ]


def _sum(
    currency: str, invoices: Sequence[InvoiceRow], payments: Sequence[ReportPayment], ages: Sequence[AgeRow]
) -> CurrencySum:
    made = [each for each in invoices if each.currency == currency and not each.is_draft]
    drafts = [each for each in invoices if each.currency == currency and each.is_draft]
    money = [each for each in payments if each.currency == currency and not each.from_credit]
    spent = [each for each in payments if each.currency == currency and each.from_credit]
    owed = [each for each in ages if each.currency == currency]
    return CurrencySum(
        currency=currency,
        invoiced=_minor(made),
        drafts=_minor(drafts),
        received=_minor(money),
        from_credit=_minor(spent),
        outstanding=_minor(owed),
        invoice_ids=[each.id for each in made],
        draft_ids=[each.id for each in drafts],
        payment_ids=[each.id for each in money],
        credit_payment_ids=[each.id for each in spent],
        outstanding_ids=sorted(number for each in owed for number in each.invoice_ids),
    )


def _currencies(rows: Iterable[InvoiceRow | ReportPayment | AgeRow]) -> set[str]:
    return {each.currency for each in rows}


def _minor(rows: Iterable[InvoiceRow | ReportPayment | AgeRow]) -> int:
    return sum(each.minor for each in rows)


def _astray_notes(reconciled: Reconciled, facts: ReportFacts) -> list[str]:
    """Say which payments of the period count towards no invoice, and why: they lower nothing that is outstanding."""
    days = {each.id: each.day for each in reconciled.astray}
    later = {each.id for each in facts.invoices} - {each.invoice.id for each in reconciled.balances}
    return [
        each.reason()
        for each in reconciled.findings
        # One that was paid before the date of its invoice is in order, though not counted yet.
        if days.get(each.payment_id, date.min) >= facts.first and each.invoice_id not in later
    ]
