"""What one connection needs to look after its payments: its rules, and the activities."""

from collections.abc import Awaitable, Callable
from typing import Any

from activities.payment_passes import PaymentPassActivities
from activities.payments import PaymentActivities, PaymentBooks
from activities.reconciliation_cash import ReconciledCash
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.credits import CreditApi
from connectors.freshbooks.documents import FreshBooksDocuments
from connectors.freshbooks.payments import PaymentApi
from mapping.payments import OverpaidShown, PaymentRules
from runtime.payments import PaymentsFlow
from runtime.settings import Connection
from store.records import RecordKey
from store.store import Store

Activities = list[Callable[..., Any]]
Announce = Callable[[RecordKey, str, int], Awaitable[None]]
"""Tells the workflow of a record: an invoice's opportunity, or a payment."""


def payment_rules(flow: PaymentsFlow) -> PaymentRules:
    """Return how a connection's payments are judged."""
    return PaymentRules(flow.under_percent, OverpaidShown(flow.overpaid_shown))


def payment_passes(store: Store, announce: Announce) -> Activities:
    """Return the local steps of all payments."""
    passes = PaymentPassActivities(store, announce)
    return [passes.begin_payment, passes.settle_payment]


def payment_activities(
    connection: Connection, freshbooks: FreshBooksApi, store: Store, announce: Announce
) -> Activities:
    """Return what runs on the queue of FreshBooks; nothing where payments are not looked at."""
    flow, account = connection.payments, freshbooks.account
    if flow is None:
        return []
    books = PaymentBooks(FreshBooksDocuments(account).invoices, PaymentApi(account), CreditApi(account))
    payments, cash = PaymentActivities(books, payment_rules(flow), store, announce), ReconciledCash(books, store)
    return [
        cash.list_cash,
        cash.look_at_invoice_again,
        payments.judge_payment,
        payments.sweep_payments,
        payments.sweep_deleted_invoices,
        payments.sum_page,
    ]
