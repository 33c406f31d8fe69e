"""`python -m worker [work|web|connect|disconnect]`: what needs everything wired. The `ledgerline` commands run it."""

import argparse
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import uvloop

from runtime.errors import Stop
from runtime.load import load_settings
from runtime.logs import set_up_logs
from runtime.settings import Settings
from worker.connect import Wish, connect_account, disconnect_account
from worker.main import work
from worker.session import Screen
from worker.web import receive

PROCESSES: Mapping[str, Callable[[Settings], Coroutine[Any, Any, None]]] = {"work": work, "web": receive}
ERRANDS: Mapping[str, Callable[[Settings, Wish, Screen], Coroutine[Any, Any, int]]] = {
    "connect": connect_account,
    "disconnect": disconnect_account,
}
INTERRUPTED = 130
SHORT_NAMES = {"zoho": "zoho_crm"}


async def run(name: str, arguments: Sequence[str]) -> int:
    """Run one of the processes, or one errand, with the installation's settings; return the exit code."""
    settings = load_settings()
    if name in ERRANDS:
        set_up_logs(name, settings.log_format, "warning")
        return await ERRANDS[name](settings, wish(name, arguments), Screen())
    set_up_logs("worker" if name == "work" else "receiver", settings.log_format, settings.log_level)
    await PROCESSES[name](settings)
    return 0


def wish(name: str, arguments: Sequence[str]) -> Wish:
    """Return what a person typed after `connect` or `disconnect`."""
    parser = argparse.ArgumentParser(prog=f"ledgerline {name}")
    parser.add_argument("system")
    parser.add_argument("--connection")
    parser.add_argument("--paste", action="store_true")
    parser.add_argument("--account")
    typed = vars(parser.parse_args(arguments))
    return Wish(**{**typed, "system": SHORT_NAMES.get(typed["system"], typed["system"])})


def main() -> int:
    """Return the exit code: 2 for a mistake in what we were told, with a text that says where."""
    name, *arguments = sys.argv[1:] or ["work"]
    try:
        # uvloop: a create costs a third less than with the standard library's loop
        return uvloop.run(run(name, arguments))
    except Stop as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    code = main()
    if sys.argv[1:2] in (["connect"], ["disconnect"]):
        # The Temporal SDK can abort a short-lived process at interpreter exit, after all work is done.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
