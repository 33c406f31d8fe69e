"""The worker process: builds everything once, works until it is asked to stop, and finishes what it has begun."""

import asyncio
import gc
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from typing import Any

import httpx
import structlog
from temporalio.client import Client
from temporalio.common import VersioningBehavior
from temporalio.worker import Worker, WorkerDeploymentConfig, WorkerDeploymentVersion
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.bulk import BulkActivities
from activities.catch_up import CatchUpActivities
from activities.checks import TokenCheckActivities
from activities.consent import ConsentActivities
from activities.duplicates import MarkActivities
from activities.passes import PassActivities
from activities.sweeps import CursorActivities
from connectors.http import http_client
from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Settings
from runtime.temporal import connect
from runtime.watching import SettingsWatch
from starters.announce import Announcer
from starters.schedules import sweep_now
from store.audit_anchors import Anchors
from store.store import Store, open_store
from worker.account_workers import AccountWorkers
from worker.accounts import AccountQueue, Wiring, check_mappings, client_rules
from worker.alerts import alert_queue
from worker.billing import billing_passes
from worker.billing_reports import report_steps
from worker.heartbeats import Heartbeats
from worker.opportunities import pass_activities
from worker.payments import payment_passes
from worker.plans import plan_activities
from worker.projects import project_passes
from worker.quotas import QuotaPaces
from worker.reconciliation_rules import money_rules, report_rules
from worker.reconciliations import money_reports, report_activities
from worker.serving import Serving
from worker.tokens import accesses
from workflows.alerts import AlertTest, AlertWatch
from workflows.billing import TimeEntriesToInvoice
from workflows.billing_reports import MakeBillingReport
from workflows.billing_runs import BillingPreview, BillingRun
from workflows.bulk import BulkCreates
from workflows.checks import ConnectionCheck
from workflows.client_plans import ApplyPlan, PlanClients
from workflows.client_sweeps import ClientSweep
from workflows.clients import ClientUpsert
from workflows.consent import ConsentNeeded
from workflows.duplicates import DuplicateCheck, DuplicateIncident, OpenIntents
from workflows.hooks import CallbackVerification, HookUpkeep
from workflows.opportunities import OpportunityToEstimate
from workflows.opportunity_sweeps import OpportunitySweep
from workflows.parties import PartyFromClient
from workflows.payment_sweeps import LedgerProof, PaymentSweep
from workflows.payments import PaymentReconciliation
from workflows.projects import OpportunityToProject, ProjectSweep
from workflows.reconciliation_rounds import ReconciliationRound
from workflows.reconciliations import Reconciliation
from workflows.search_lag import SearchLag
from workflows.sweeps import PartySweep

log = structlog.get_logger()

WORKFLOWS = (
    ClientUpsert,
    PartyFromClient,
    BulkCreates,
    SearchLag,
    OpenIntents,
    DuplicateCheck,
    DuplicateIncident,
    PartySweep,
    ClientSweep,
    HookUpkeep,
    CallbackVerification,
    ConnectionCheck,
    ConsentNeeded,
    AlertWatch,
    AlertTest,
    PlanClients,
    ApplyPlan,
    OpportunityToEstimate,
    OpportunitySweep,
    PaymentReconciliation,
    PaymentSweep,
    LedgerProof,
    TimeEntriesToInvoice,
    BillingRun,
    BillingPreview,
    MakeBillingReport,
    OpportunityToProject,
    ProjectSweep,
    Reconciliation,
    ReconciliationRound,
)
OUR_PACKAGES = ("workflows", "activities", "connectors", "mapping", "store", "runtime")
LIBRARIES = (
    "httpx",
    "sqlalchemy",
    "structlog",
    "authlib",
    "alembic",
    "ruamel",
    "cryptography",
    "babel",
    "phonenumbers",
)
BUILD = version("ledgerline")
SERVER_PATIENCE = timedelta(seconds=60)
# Requests that have begun are finished: a create that we drop ourselves would be in doubt for nothing.
GRACE = timedelta(seconds=8)
# What a worker has taken waits within it, whoever comes later; what waits in Temporal goes by priority and fairness. So
# it takes little at once: more than one core can do brings nothing, and more requests than that no account allows.
AT_ONCE, REQUESTS_AT_ONCE = 10, 20
# A worker that dies leaves its cached workflows to the others after this long; the default is ten seconds.
STICKY = timedelta(seconds=4)


async def work(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT.

    Raises WrongSettings, KeyProblem, StoreUnreachable or TemporalUnreachable before any work is begun.
    """
    check_mappings(settings)
    async with AsyncExitStack() as stack:
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        await stack.enter_async_context(Anchors(settings.data, store.database, store.keys).kept_up())
        temporal = await connect(settings, patience=SERVER_PATIENCE, metrics_port=settings.metrics.worker_port)
        http = await stack.enter_async_context(http_client())
        wiring_of = partial(wired, temporal, store, http)
        accounts = AccountWorkers(temporal, wiring_of(settings), partial(account_worker, temporal))
        serving = Serving(temporal, wiring_of, partial(_start_shared, temporal, store, http))
        settle_memory()
        log.info("working", connections=list(settings.connections))
        await serving.run_until(stop_signal(), accounts, settings, SettingsWatch(settings).changes())


def wired(temporal: Client, store: Store, http: httpx.AsyncClient, settings: Settings) -> Wiring:
    """Return what all accounts of these settings share."""
    announcer = Announcer(temporal, store, settings.crms, settings.with_projects)
    return Wiring(
        settings,
        http,
        store,
        announcer.party_changed,
        announcer.client_changed,
        announcer.opportunity_changed,
        announcer.record_changed,
    )


async def _start_shared(
    temporal: Client, store: Store, http: httpx.AsyncClient, settings: Settings, stack: AsyncExitStack
) -> None:
    """Start the workers that know all connections, and what keeps up the paces of their accounts."""
    alerts = alert_queue(settings, temporal, store, http)
    await stack.enter_async_context(workflow_worker(temporal, settings, store))
    await stack.enter_async_context(account_worker(temporal, alerts))
    await stack.enter_async_context(QuotaPaces(temporal, settings, store).kept_up())


def settle_memory() -> None:
    """Tell the garbage collector that what is loaded by now stays: searching it again costs a sixth of the work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def workflow_worker(temporal: Client, settings: Settings, store: Store) -> Worker:
    """Return the worker of all workflows and of the steps that touch only our own store."""
    return Worker(
        temporal,
        task_queue=WORKFLOW_QUEUE,
        workflows=WORKFLOWS,
        activities=_store_steps(temporal, settings, store),
        workflow_runner=sandboxed_runner(),
        max_concurrent_workflow_tasks=AT_ONCE,
        max_concurrent_local_activities=AT_ONCE,
        deployment_config=_deployment(),
        graceful_shutdown_timeout=GRACE,
        sticky_queue_schedule_to_start_timeout=STICKY,
    )


def _store_steps(temporal: Client, settings: Settings, store: Store) -> list[Callable[..., Any]]:
    connections = settings.connections.items()
    announcer = Announcer(temporal, store, settings.crms, settings.with_projects)
    rules = {name: client_rules(name, connection, store) for name, connection in connections}
    passes = PassActivities(store, rules, announcer)
    limits = {name: connection.clients.bulk_limit for name, connection in connections}
    bulk = BulkActivities(store, limits, announcer.record_changed, announcer.creates_wait)
    marks = MarkActivities(store, announcer.record_changed)
    cursors = CursorActivities(store)
    consent = ConsentActivities(store)
    catch_up = CatchUpActivities(partial(sweep_now, temporal))
    token_check = TokenCheckActivities(store, accesses(settings))
    return [
        passes.begin_pass,
        passes.plan_client,
        passes.settle_link,
        passes.begin_client,
        passes.plan_party,
        passes.claim_party,
        passes.drop_intent,
        passes.end_link,
        passes.follow_merge,
        passes.announce_party,
        passes.reserve_anew,
        passes.admit_create,
        passes.farewell_policy,
        passes.note_lag,
        passes.open_hold,
        passes.close_hold,
        bulk.waiting,
        bulk.let_pass,
        bulk.ask,
        bulk.release,
        bulk.leave_out,
        marks.announce_left_open,
        marks.marked_twice,
        marks.accept,
        cursors.begin_sweep,
        cursors.end_sweep,
        catch_up.sweep_now,
        token_check.examine_token,
        consent.read_consent,
        consent.open_consent_hold,
        consent.close_consent_hold,
        consent.try_account_again,
        *plan_activities(temporal, settings, store),
        *pass_activities(settings, store),
        *payment_passes(store, announcer.record_changed),
        *billing_passes(settings, store, announcer.billing_wanted),
        *report_steps(store),
        *project_passes(settings, store),
        *report_activities(report_rules(settings), store, announcer.record_changed),
        *money_reports(money_rules(settings), store),
    ]


def account_worker(temporal: Client, queue: AccountQueue) -> Worker:
    """Return the worker of one account's queue; Temporal holds all such workers together to the account's quota."""
    return Worker(
        temporal,
        task_queue=queue.name,
        activities=queue.activities,
        max_concurrent_activities=REQUESTS_AT_ONCE,
        max_task_queue_activities_per_second=queue.calls_per_second,
        interceptors=[Heartbeats()],
        deployment_config=_deployment(),
        graceful_shutdown_timeout=GRACE,
    )


def sandboxed_runner() -> SandboxedWorkflowRunner:
    """Return the runner that catches non-determinism, without loading our packages anew for each run."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*OUR_PACKAGES, *LIBRARIES)
    return SandboxedWorkflowRunner(restrictions=restrictions)


async def stop_signal() -> None:
    """Return when this process is asked to stop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    await stopped.wait()


def _deployment() -> WorkerDeploymentConfig:
    """Record which build ran what; workflows are not pinned to builds."""
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name="ledgerline", build_id=BUILD),
        use_worker_versioning=False,
        default_versioning_behavior=VersioningBehavior.UNSPECIFIED,
    )
