"""What runs by the clock: the schedules that the settings ask for."""

from dataclasses import dataclass, replace
from datetime import timedelta

from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes

from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Connection, Settings
from workflows.alerts import AlertWatch
from workflows.billing_models import BillingRunRequest
from workflows.billing_runs import BillingRun
from workflows.client_sweeps import ClientSweep
from workflows.desk import HOURS, PROJECTS
from workflows.duplicates import DuplicateCheck, OpenIntents
from workflows.hooks import HookUpkeep
from workflows.models import (
    AlertWatchRequest,
    ClientSweepRequest,
    ConnectionRequest,
    DuplicateCheckRequest,
    SweepRequest,
)
from workflows.opportunity_models import OpportunitySweepRequest
from workflows.opportunity_sweeps import OpportunitySweep
from workflows.payment_models import PaymentSweepRequest, ProofRequest
from workflows.payment_sweeps import LedgerProof, PaymentSweep
from workflows.project_models import ProjectSweepRequest
from workflows.projects import ProjectSweep
from workflows.reconciliation_models import RoundRequest
from workflows.reconciliation_rounds import ReconciliationRound
from workflows.search_attributes import CONNECTION, FLOW
from workflows.sweeps import PartySweep

HOOK_UPKEEP = "hook-upkeep"
HOOK_UPKEEP_EVERY = timedelta(hours=1)
OPEN_INTENTS_EVERY = timedelta(hours=1)
DUPLICATE_CHECK_EVERY = timedelta(days=1)
# Not how often it looks: how soon a watch that has come to its end is followed by the next.
ALERT_WATCH_EVERY = timedelta(minutes=1)
ALERTS = "alerts"
ALERT_PRIORITY = 1  # people are told also while a thousand changes wait
SWEEP_PRIORITY = 3
PARTY_SWEEP, CLIENT_SWEEP, OPPORTUNITY_SWEEP = "party-sweep", "client-sweep", "opportunity-sweep"
PAYMENT_SWEEP, LEDGER_PROOF, PROJECT_SWEEP = "payment-sweep", "ledger-proof", "project-sweep"
LEDGER_PROOF_EVERY = timedelta(days=1)
BILLING, RECONCILIATION = "billing", "reconciliation"
# Not how often it bills: how soon after its end a period is billed.
BILLING_EVERY = timedelta(hours=1)
SWEEPS = {"capsule": PARTY_SWEEP, "zoho_crm": PARTY_SWEEP, "freshbooks": CLIENT_SWEEP}
"""How the schedule of each system's sweep begins; the connection follows."""
COME_AND_GO = (
    PARTY_SWEEP,
    CLIENT_SWEEP,
    OPPORTUNITY_SWEEP,
    PAYMENT_SWEEP,
    LEDGER_PROOF,
    BILLING,
    RECONCILIATION,
    PROJECT_SWEEP,
    HOOK_UPKEEP,
)
"""How those begin that a connection has or has not, as its settings say; the connection follows."""
# Connections that are compared at the same hour must not all begin at once.
RECONCILIATION_JITTER = timedelta(minutes=10)
# A comparison that an outage kept from beginning is made up for on the same day, once.
RECONCILIATION_CATCH_UP = timedelta(hours=12)
JITTER_PART = 10  # connections with the same interval must not all begin at once


@dataclass(frozen=True)
class Wanted:
    """One schedule as it should be. `at_start` says whether a start of everything runs it at once."""

    id: str
    note: str
    schedule: Schedule
    at_start: bool = True


def wanted_schedules(settings: Settings) -> list[Wanted]:
    """Return the schedules of every connection. Without a public address there are no webhooks to keep up."""
    wanted = [_alert_watch()]
    wanted += [_sweep(name, connection) for name, connection in settings.connections.items()]
    wanted += [
        _client_sweep(name, connection)
        for name, connection in settings.connections.items()
        if connection.clients.direction == "both"
    ]
    wanted += [
        _opportunity_sweep(name, connection.crm, connection.opportunities.sweep_every)
        for name, connection in settings.connections.items()
        if connection.opportunities is not None
    ]
    for name, connection in settings.connections.items():
        if connection.payments is not None:
            wanted += [_payment_sweep(name, connection.payments.sweep_every), _ledger_proof(name)]
    wanted += [_billing(name) for name, connection in settings.connections.items() if connection.billing is not None]
    wanted += [
        _project_sweep(name, connection.crm, connection.projects.sweep_every)
        for name, connection in settings.connections.items()
        if connection.projects is not None
    ]
    wanted += [_open_intents(name) for name in settings.connections]
    wanted += [_duplicate_check(name, crm) for name, crm in settings.crms.items()]
    wanted += [
        _reconciliation(name, connection)
        for name, connection in settings.connections.items()
        if connection.reconciliation.scheduled
    ]
    if settings.public_url is not None:
        wanted += [_hook_upkeep(name, connection) for name, connection in settings.connections.items()]
    return wanted


def _alert_watch() -> Wanted:
    """The one schedule of the whole installation. A watch that runs is left alone."""
    note = "Keeps the alert watch running, which tells people what needs them. One run goes on for hours."
    action = ScheduleActionStartWorkflow(
        AlertWatch.run,
        AlertWatchRequest(),
        id=ALERTS,
        task_queue=WORKFLOW_QUEUE,
        static_summary="tells people what needs them: holds, queues that do not drain, silence",
        priority=Priority(priority_key=ALERT_PRIORITY),
    )
    return Wanted(ALERTS, note, _schedule(action, ALERT_WATCH_EVERY, note))


def _sweep(name: str, connection: Connection) -> Wanted:
    note = f"Lists the parties of {name} in {connection.crm} that changed; catches what no webhook announced."
    action = ScheduleActionStartWorkflow(
        PartySweep.run,
        SweepRequest(connection=name, crm=connection.crm),
        id=f"{PARTY_SWEEP}/{name}",
        task_queue=WORKFLOW_QUEUE,
        static_summary=f"parties of {name} that changed since the last sweep",
    )
    return _wanted(action, name, "clients", connection.clients.sweep_every, note)


def _client_sweep(name: str, connection: Connection) -> Wanted:
    note = f"Lists the FreshBooks clients of {name} that changed; catches what no webhook announced."
    action = ScheduleActionStartWorkflow(
        ClientSweep.run,
        ClientSweepRequest(connection=name, crm=connection.crm),
        id=f"{CLIENT_SWEEP}/{name}",
        task_queue=WORKFLOW_QUEUE,
        static_summary=f"clients of {name} that changed since the last sweep",
    )
    return _wanted(action, name, "clients", connection.clients.sweep_every, note)


def _opportunity_sweep(name: str, crm: str, every: timedelta) -> Wanted:
    note = f"Lists the opportunities of {name} in {crm}, and their documents, that changed without a webhook."
    action = ScheduleActionStartWorkflow(
        OpportunitySweep.run,
        OpportunitySweepRequest(connection=name, crm=crm),
        id=f"{OPPORTUNITY_SWEEP}/{name}",
        task_queue=WORKFLOW_QUEUE,
        static_summary=f"opportunities of {name} that changed since the last sweep",
    )
    return _wanted(action, name, "opportunities", every, note)


def _payment_sweep(name: str, every: timedelta) -> Wanted:
    note = f"Lists the FreshBooks payments of {name} that changed; catches what no webhook announced."
    action = ScheduleActionStartWorkflow(
        PaymentSweep.run,
        PaymentSweepRequest(connection=name),
        id=f"{PAYMENT_SWEEP}/{name}",
        task_queue=WORKFLOW_QUEUE,
        static_summary=f"payments of {name} that changed since the last sweep",
    )
    return _wanted(action, name, "payments", every, note)


def _project_sweep(name: str, crm: str, every: timedelta) -> Wanted:
    note = f"Looks for opportunities of {name} that were won, and for projects and hours that changed."
    action = ScheduleActionStartWorkflow(
        ProjectSweep.run,
        ProjectSweepRequest(connection=name, crm=crm),
        id=f"{PROJECT_SWEEP}/{name}",
        task_queue=WORKFLOW_QUEUE,
        static_summary=f"projects of {name}, and the hours on them",
    )
    return _wanted(action, name, PROJECTS, every, note)


def _ledger_proof(name: str) -> Wanted:
    note = f"Adds up all invoices, payments and credit notes of {name}, by client and currency: they have to meet."
    action = ScheduleActionStartWorkflow(
        LedgerProof.run,
        ProofRequest(connection=name),
        id=f"{LEDGER_PROOF}/{name}",
        task_queue=WORKFLOW_QUEUE,
        static_summary=f"invoices, payments and credits of {name} add up",
    )
    return _wanted(action, name, "payments", LEDGER_PROOF_EVERY, note)


def _billing(name: str) -> Wanted:
    note = f"Bills the hours of {name} once after the end of each period; `ledgerline bill` does it at any time."
    action = ScheduleActionStartWorkflow(
        BillingRun.run,
        BillingRunRequest(connection=name, once=True),
        id=f"{BILLING}/{name}",
        task_queue=WORKFLOW_QUEUE,
        static_summary=f"bill the hours of the last period ({name})",
    )
    return _wanted(action, name, HOURS, BILLING_EVERY, note)


def _hook_upkeep(name: str, connection: Connection) -> Wanted:
    note = f"Registers the webhooks of {name} that are missing; both systems drop them when deliveries fail."
    request = ConnectionRequest(
        connection=name,
        crm=connection.crm,
        opportunities=connection.opportunities is not None,
        payments=connection.payments is not None,
    )
    action = ScheduleActionStartWorkflow(
        HookUpkeep.run,
        request,
        id=f"{HOOK_UPKEEP}/{name}",
        task_queue=WORKFLOW_QUEUE,
        static_summary=f"webhooks of {name}",
    )
    return _wanted(action, name, "hooks", HOOK_UPKEEP_EVERY, note)


def _open_intents(connection: str) -> Wanted:
    note = f"Announces the records of {connection} whose creates have been open for more than a quarter of an hour."
    action = ScheduleActionStartWorkflow(
        OpenIntents.run,
        ConnectionRequest(connection=connection),
        id=f"open-intents/{connection}",
        task_queue=WORKFLOW_QUEUE,
        static_summary=f"creates of {connection} that were left open",
    )
    return _wanted(action, connection, "clients", OPEN_INTENTS_EVERY, note)


def _duplicate_check(connection: str, crm: str) -> Wanted:
    note = f"Looks in both systems of {connection} for two records that carry one mark of ours: that is an incident."
    action = ScheduleActionStartWorkflow(
        DuplicateCheck.run,
        DuplicateCheckRequest(connection=connection, crm=crm),
        id=f"duplicate-check/{connection}",
        task_queue=WORKFLOW_QUEUE,
        static_summary=f"marks of ours on more than one record of {connection}",
    )
    return _wanted(action, connection, "clients", DUPLICATE_CHECK_EVERY, note)


def _reconciliation(name: str, connection: Connection) -> Wanted:
    rules = connection.reconciliation
    note = f"Compares both sides of {name} in full, and keeps a report of what differs. It writes to neither."
    flows = [each for each in rules.flows if each in connection.compared_flows]
    request = RoundRequest(connection=name, flows=flows, crm=connection.crm, repair=rules.repair)
    action = ScheduleActionStartWorkflow(
        ReconciliationRound.run,
        request,
        id=f"{RECONCILIATION}/{name}",
        task_queue=WORKFLOW_QUEUE,
        static_summary=f"both sides of {name}, compared in full",
    )
    wanted = _wanted(action, name, "clients", RECONCILIATION_CATCH_UP, note)
    wanted.schedule.spec = ScheduleSpec(
        cron_expressions=[rules.calendar], time_zone_name=rules.time_zone, jitter=RECONCILIATION_JITTER
    )
    return replace(wanted, at_start=False)  # sweeps catch up first: what they have yet to find is no mismatch


def _wanted(action: ScheduleActionStartWorkflow, connection: str, flow: str, every: timedelta, note: str) -> Wanted:
    """Return the schedule that takes its id from the workflow it starts."""
    action.priority = Priority(priority_key=SWEEP_PRIORITY, fairness_key=connection)
    action.typed_search_attributes = TypedSearchAttributes(
        [SearchAttributePair(CONNECTION, connection), SearchAttributePair(FLOW, flow)]
    )
    return Wanted(action.id, note, _schedule(action, every, note))


def _schedule(action: ScheduleActionStartWorkflow, every: timedelta, note: str) -> Schedule:
    return Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)], jitter=every / JITTER_PART),
        # One sweep at a time; after an outage one run catches up with everything, because the cursor knows from when.
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=max(every, timedelta(seconds=10)), pause_on_failure=False
        ),
        state=ScheduleState(note=note),
    )
