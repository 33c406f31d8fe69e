"""The worker process: builds everything once, works until it is asked to stop, and finishes what it has begun."""

import asyncio
import gc
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.common import VersioningBehavior
from temporalio.worker import Worker, WorkerDeploymentConfig, WorkerDeploymentVersion
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.passes import PassActivities
from activities.sweeps import CursorActivities
from connectors.http import http_client
from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Settings
from runtime.temporal import connect
from starters.announce import Announcer
from store.store import Store, open_store
from worker.accounts import AccountQueue, account_queues, check_mappings, clients_template, lost_after
from worker.heartbeats import Heartbeats
from workflows.checks import ConnectionCheck
from workflows.clients import ClientUpsert
from workflows.hooks import CallbackVerification, HookUpkeep
from workflows.sweeps import PartySweep

log = structlog.get_logger()

WORKFLOWS = (ClientUpsert, PartySweep, HookUpkeep, CallbackVerification, ConnectionCheck)
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
        temporal = await connect(settings, patience=SERVER_PATIENCE, metrics_port=settings.metrics.worker_port)
        http = await stack.enter_async_context(http_client())
        announce = Announcer(temporal, store).party_changed
        queues = [
            queue for name in settings.connections for queue in account_queues(name, settings, http, store, announce)
        ]
        for worker in _workers(temporal, settings, store, queues):
            await stack.enter_async_context(worker)
        settle_memory()
        log.info("working", connections=list(settings.connections))
        await stop_signal()
        log.info("stopping: finishing the requests that have begun")


def settle_memory() -> None:
    """Tell the garbage collector that what is loaded by now stays: searching it again costs a sixth of the work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _workers(temporal: Client, settings: Settings, store: Store, queues: Sequence[AccountQueue]) -> list[Worker]:
    return [workflow_worker(temporal, settings, store), *(account_worker(temporal, queue) for queue in queues)]


def workflow_worker(temporal: Client, settings: Settings, store: Store) -> Worker:
    """Return the worker of all workflows and of the steps that touch only our own store."""
    connections = settings.connections.items()
    passes = PassActivities(
        store,
        templates={name: clients_template(name, connection) for name, connection in connections},
        lost_after={name: lost_after(connection) for name, connection in connections},
    )
    cursors = CursorActivities(store)
    local: list[Callable[..., Any]] = [
        passes.begin_pass,
        passes.plan_client,
        passes.settle_link,
        passes.open_hold,
        passes.close_hold,
        cursors.begin_sweep,
        cursors.end_sweep,
    ]
    return Worker(
        temporal,
        task_queue=WORKFLOW_QUEUE,
        workflows=WORKFLOWS,
        activities=local,
        workflow_runner=sandboxed_runner(),
        deployment_config=_deployment(),
        graceful_shutdown_timeout=GRACE,
        sticky_queue_schedule_to_start_timeout=STICKY,
    )


def account_worker(temporal: Client, queue: AccountQueue) -> Worker:
    """Return the worker of one account's queue; Temporal holds all such workers together to the account's quota."""
    return Worker(
        temporal,
        task_queue=queue.name,
        activities=queue.activities,
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
