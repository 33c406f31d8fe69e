"""How activities are called: one place for the timeouts, each with its reason."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.queues import account_queue

# Backoff while a system is down: soon again at first, at most five minutes apart.
PATIENT = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5))

API_CALL = workflow.ActivityConfig(
    # One request may take 60 s (`request_timeout`); what is left is for our own store before and after it.
    start_to_close_timeout=timedelta(seconds=90),
    # The worker beats for us every third of this: a killed worker is noticed after ten, not after ninety.
    heartbeat_timeout=timedelta(seconds=10),
    # While an account waits for a person's consent its queue is paused, and that one hold stands for all of them: they
    # must not become a hold each because the person is on holiday. Alerts tell of an outage long before this.
    schedule_to_close_timeout=timedelta(days=90),
    retry_policy=PATIENT,
)

# A check answers a person who waits: a few attempts, then the error itself is the answer.
CHECK = workflow.ActivityConfig(
    start_to_close_timeout=timedelta(seconds=15),
    schedule_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(maximum_attempts=2),
)

# Our own store: milliseconds, or a lock that somebody else holds for a moment.
STORE_CALL = workflow.LocalActivityConfig(
    start_to_close_timeout=timedelta(seconds=40),
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(minutes=1)),
    # While the store is away the workflow waits on a timer. Waiting inside the workflow task, the default up to
    # a minute, keeps the worker from stopping and writes to the history every few seconds.
    local_retry_threshold=timedelta(seconds=1),
)

# Minutes of work on our own store, page by page; it beats after every page.
LONG_STORE_CALL = workflow.ActivityConfig(
    start_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=timedelta(seconds=60),
    # Days without the store must not leave a plan half applied, or what is to be forgotten kept for good.
    schedule_to_close_timeout=timedelta(days=90),
    retry_policy=PATIENT,
)


def api_call(system: str, connection: str, rank: int, summary: str) -> workflow.ActivityConfig:
    """Return how to call one account: on its own queue, in turn, with a line for the Temporal UI."""
    return _on_account(API_CALL, system, connection, rank, summary)


def long_store_call(summary: str) -> workflow.ActivityConfig:
    """Return how to do minutes of work on our own store, with a line for the Temporal UI."""
    return {**LONG_STORE_CALL, "summary": summary}


def check(system: str, connection: str) -> workflow.ActivityConfig:
    """Return how to ask one account something that a person waits for."""
    return _on_account(CHECK, system, connection, 1, f"who are we to {system}?")


def _on_account(
    config: workflow.ActivityConfig, system: str, connection: str, rank: int, summary: str
) -> workflow.ActivityConfig:
    """`rank` is 1 if a person waits, 2 for a webhook, 3 for a sweep, 4 for a repair, 5 for a backfill."""
    place = Priority(priority_key=rank, fairness_key=connection)
    return {**config, "task_queue": account_queue(system, connection), "priority": place, "summary": summary}
