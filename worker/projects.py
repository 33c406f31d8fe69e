"""What one connection needs for the projects of its opportunities: its rules, and the activities on each queue."""

import hashlib
from collections.abc import Callable
from typing import Any

from activities.opportunity_crm import OpportunityCrm
from activities.project_books import BilledRules, ProjectBooks
from activities.project_crm import ProjectCrmActivities
from activities.project_passes import ProjectPassActivities, ProjectRules
from activities.projects import AnnounceProject, ProjectAccount, ProjectActivities
from activities.queues import FRESHBOOKS
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.documents import FreshBooksDocuments
from connectors.freshbooks.hours import Hours
from mapping.rounding import DEFAULT_POLICY, BooksDecimals, Rounding, RoundingPolicy, TaxRounding
from runtime.projects import ProjectsFlow
from runtime.settings import Connection, Settings
from store.store import Store
from worker.write_once import write_once

Activities = list[Callable[..., Any]]


def project_rules(flow: ProjectsFlow) -> ProjectRules:
    """Return how a connection's opportunities become projects."""
    return ProjectRules(
        version=hashlib.sha256(flow.model_dump_json().encode()).hexdigest()[:16],
        opens=flow.open_when_won,
        title=flow.title,
        fields={str(shown): name for shown, name in flow.fields.items()},
    )


def project_passes(settings: Settings, store: Store) -> Activities:
    """Return the local steps of the projects of all connections that open or show some."""
    flows = {name: each for name, each in settings.connections.items() if each.projects is not None}
    rules = {name: project_rules(each.projects) for name, each in flows.items() if each.projects is not None}
    once = {name: write_once(each, store, FRESHBOOKS) for name, each in flows.items()}
    passes = ProjectPassActivities(store, rules, once)
    return [
        passes.begin_project,
        passes.reserve_project,
        passes.reopen_project,
        passes.drop_project,
        passes.end_project,
    ]


def project_crm_activities(
    connection: Connection, crm: OpportunityCrm, store: Store, announce: AnnounceProject
) -> Activities:
    """Return what runs on the CRM's queue; nothing without projects."""
    if connection.projects is None:
        return []
    projects = ProjectCrmActivities(crm, project_rules(connection.projects), store, announce)
    return [projects.read_won, projects.show_project, projects.sweep_won]


def project_activities(
    connection: Connection, freshbooks: FreshBooksApi, store: Store, announce: AnnounceProject
) -> Activities:
    """Return what runs on the queue of FreshBooks; nothing without projects."""
    flow = connection.projects
    if flow is None:
        return []
    hours, invoices = Hours(freshbooks), FreshBooksDocuments(freshbooks.account).invoices
    books = ProjectBooks(hours, freshbooks, invoices, store, _billed(connection, flow))
    account = ProjectAccount(hours, books, flow.project_type)
    projects = ProjectActivities(account, store, write_once(connection, store, FRESHBOOKS), announce)
    return [
        projects.look_for_project,
        projects.open_project,
        projects.adopt_project,
        projects.read_project,
        projects.sweep_project_hours,
        projects.sweep_projects,
    ]


def _billed(connection: Connection, flow: ProjectsFlow) -> BilledRules:
    if connection.billing is None:
        return BilledRules(flow.billed_from, DEFAULT_POLICY)
    said = connection.billing.rounding
    policy = RoundingPolicy(Rounding(said.mode), TaxRounding(said.taxes), BooksDecimals(said.decimals))
    return BilledRules(flow.billed_from, policy)
