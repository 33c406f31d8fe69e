"""A worker whose day is shorter: `python -m tests.faults.outage_worker`, `OUTAGE_DAY` seconds long.

What takes minutes without being a setting is cut down: the longest pause between two attempts, the patience with one
look of the alert watch, and how long it may have looked at nothing until whatever is late gets time to catch up.
"""

import os
from datetime import timedelta

import uvloop

from runtime.load import load_settings
from runtime.logs import set_up_logs
from store import alerts
from worker.main import work
from workflows import alerts as watch
from workflows import client_pass, options

DAY = "OUTAGE_DAY"
PAUSES_A_DAY = 24  # with real pauses of five minutes there are 288: too many for a machine with two cores
BREAKS_A_DAY = 30
PLENTY = 1_000_000
LOOK_SECONDS = timedelta(seconds=4)


def hurry(day: timedelta) -> None:
    """Cut the pauses down in this process."""
    longest = max(timedelta(seconds=1), day / PAUSES_A_DAY)
    options.PATIENT.maximum_interval = longest
    store_policy = options.STORE_CALL["retry_policy"]
    assert store_policy is not None
    store_policy.maximum_interval = longest
    # Ten minutes hold several of these days: edits of all of them are not two systems that answer each other.
    client_pass.MOST_TURNS = client_pass.MOST_WRITES = PLENTY
    watch.LOOK["schedule_to_close_timeout"] = watch.LOOK["start_to_close_timeout"] = LOOK_SECONDS
    alerts.LONGEST_BREAK = max(timedelta(seconds=3), day / BREAKS_A_DAY)


if __name__ == "__main__":
    hurry(timedelta(seconds=float(os.environ[DAY])))
    settings = load_settings()
    set_up_logs("worker", settings.log_format, settings.log_level)
    uvloop.run(work(settings))
