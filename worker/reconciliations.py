"""What comparing both sides needs in the workers: of all workflows, and of each account."""

from collections.abc import Callable, Mapping
from typing import Any

from activities.crm import Crm
from activities.party_sides import PartyMapping
from activities.reconciliation_listing import ReconciledClients, ReconciledParties
from activities.reconciliation_money_reports import MoneyReportActivities, MoneyRules
from activities.reconciliations import RecordChanged, ReportActivities, ReportRules
from connectors.freshbooks.api import FreshBooksApi
from mapping.context import Context
from mapping.engine import Template
from store.store import Store


def report_activities(
    rules: Mapping[str, ReportRules], store: Store, announce: RecordChanged
) -> list[Callable[..., Any]]:
    """Return the activities of reports that touch only our own store, and announce."""
    reports = ReportActivities(store, rules, announce)
    return [
        reports.begin_report,
        reports.list_again,
        reports.compare_sides,
        reports.end_report,
        reports.announce_repairs,
    ]


def money_reports(rules: Mapping[str, MoneyRules], store: Store) -> list[Callable[..., Any]]:
    """Return the activities of reports of opportunities and payments that touch only our own store."""
    return [MoneyReportActivities(store, rules).compare_money]


def party_listing(crm: Crm, mapping: PartyMapping, store: Store) -> list[Callable[..., Any]]:
    """Return the activities that list an account's parties."""
    parties = ReconciledParties(crm, mapping, store)
    return [parties.list_parties, parties.look_at_party_again]


def client_listing(
    freshbooks: FreshBooksApi, template: Template, context: Context, store: Store
) -> list[Callable[..., Any]]:
    """Return the activities that list an account's clients."""
    clients = ReconciledClients(freshbooks, template, context, store)
    return [clients.list_clients, clients.look_at_client_again]
