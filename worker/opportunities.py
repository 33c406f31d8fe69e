"""What one connection needs to sync its opportunities: its rules, and the activities on each account's queue."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from activities.document_rules import Approvals, DocumentRules
from activities.document_sides import DocumentSettings
from activities.opportunity_check_rules import OpportunityNames
from activities.opportunity_checks import CheckedOpportunities, DocumentCheckActivities, OpportunityCheckActivities
from activities.opportunity_crm import OpportunityCrm
from activities.opportunity_passes import OpportunityPassActivities
from activities.opportunity_sides import OpportunityRules
from activities.queues import FRESHBOOKS
from activities.reconciliation_sales import ReconciledDocuments, ReconciledOpportunities
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.documents import FreshBooksDocuments
from mapping.rules import Owner
from runtime.opportunities import OpportunitiesFlow
from runtime.settings import Connection, Settings
from store.records import RecordKey
from store.store import Store
from worker.document_lines import line_maker, predictor
from worker.opportunity_conditions import conditions, left_out
from worker.write_once import write_once

Activities = list[Callable[..., Any]]
AnnounceOpportunity = Callable[[str, int, str, int], Awaitable[None]]
"""Tells the workflow of an opportunity: connection, id, cause, priority."""
AnnounceDocument = Callable[[RecordKey, str, int], Awaitable[None]]
"""Tells the workflow of the opportunity that a document belongs to."""


async def tell_nobody(*_: object) -> None:
    """Announce nothing: for whoever has no opportunities."""


def flow_version(flow: OpportunitiesFlow) -> str:
    """Return 16 characters that are the same for the same settings, and for no others."""
    return hashlib.sha256(flow.model_dump_json().encode()).hexdigest()[:16]


def document_rules(flow: OpportunitiesFlow) -> DocumentRules:
    """Return how a connection's opportunities become documents."""
    moves: dict[str, str] = {}
    for milestone, status in flow.milestones.items():
        moves.setdefault(status, milestone)
    asked = flow.approvals
    return DocumentRules(
        version=flow_version(flow),
        two_way=flow.direction == "both",
        moves=moves,
        accepts=frozenset(each for each, status in flow.milestones.items() if status == "accepted"),
        invoice=flow.invoice,
        number_prefix={"estimate": flow.estimate_prefix, "invoice": flow.invoice_prefix},
        approvals=Approvals(asked.above, asked.first_invoice, asked.escalate_after, asked.expire_after),
        predict=predictor(flow),
        both_changed=Owner(flow.both_changed),
    )


def opportunity_rules(connection: Connection, flow: OpportunitiesFlow) -> OpportunityRules:
    """Return how a connection reads its opportunities. Raises MappingError for a condition that is wrong."""
    asked = conditions(flow)
    return OpportunityRules(
        version=flow_version(flow),
        estimate_from=flow.estimate_from,
        make_lines=line_maker(flow, asked),
        notes=flow.notes,
        default_currency=connection.clients.default_currency,
        invoice_fields={str(shown): name for shown, name in flow.invoice_fields.items()},
        writes_note=flow.note,
        left_out=left_out(asked.when),
    )


def pass_activities(settings: Settings, store: Store) -> Activities:
    """Return the local steps of the passes of all connections that sync opportunities."""
    flows = {name: each for name, each in settings.connections.items() if each.opportunities is not None}
    rules = {name: document_rules(each.opportunities) for name, each in flows.items() if each.opportunities}
    once = {name: write_once(each, store, FRESHBOOKS) for name, each in flows.items()}
    passes = OpportunityPassActivities(store, rules, once)
    return [
        passes.begin_opportunity,
        passes.reserve_document,
        passes.drop_document,
        passes.find_client,
        passes.plan_documents,
        passes.settle_document,
        passes.end_document,
    ]


def crm_activities(
    connection: Connection, crm: OpportunityCrm, store: Store, announce: AnnounceOpportunity
) -> Activities:
    """Return what runs on the CRM's queue; nothing where opportunities are not synced."""
    if connection.opportunities is None:
        return []
    rules = opportunity_rules(connection, connection.opportunities)
    opportunities = ReconciledOpportunities(crm, rules, store, announce)
    return [
        opportunities.list_opportunities,
        opportunities.look_at_opportunity_again,
        opportunities.read_opportunity,
        opportunities.write_opportunity,
        opportunities.write_back,
        opportunities.sweep_opportunities,
        opportunities.sweep_gone_opportunities,
    ]


def check_activities(connection: Connection, pipelines: CheckedOpportunities) -> Activities:
    """Return what `ledgerline doctor` asks of the CRM's pipelines; nothing where opportunities are not synced."""
    flow = connection.opportunities
    if flow is None:
        return []
    fields = {str(shown): name for shown, name in flow.invoice_fields.items()}
    names = OpportunityNames(flow.estimate_from, tuple(flow.milestones), fields)
    check = OpportunityCheckActivities(pipelines, names)
    return [check.examine_opportunities, check.list_owners]


def books_activities(
    connection: Connection, freshbooks: FreshBooksApi, store: Store, announce: AnnounceDocument
) -> Activities:
    """Return what runs on the queue of FreshBooks; nothing where opportunities are not synced."""
    flow = connection.opportunities
    if flow is None:
        return []
    settings = DocumentSettings(flow.due_days, flow.default_owner, flow.invoice_link)
    once = write_once(connection, store, FRESHBOOKS)
    api = FreshBooksDocuments(freshbooks.account)
    documents = ReconciledDocuments(api, settings, store, once, announce)
    check = DocumentCheckActivities(api, flow.default_owner)
    return [
        documents.list_documents,
        documents.look_at_document_again,
        check.examine_documents,
        check.examine_owners,
        documents.read_document,
        documents.look_for_document,
        documents.write_document,
        documents.sweep_documents,
    ]
