"""`python -m worker [work|web]`: the processes that need everything wired. `ledgerline worker` and `web` run them."""

import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import uvloop

from runtime.errors import Stop
from runtime.load import load_settings
from runtime.logs import set_up_logs
from runtime.settings import Settings
from worker.main import work
from worker.web import receive

PROCESSES: Mapping[str, Callable[[Settings], Coroutine[Any, Any, None]]] = {"work": work, "web": receive}


async def run(name: str) -> None:
    """Run one of the processes with the installation's settings."""
    settings = load_settings()
    set_up_logs("worker" if name == "work" else "receiver", settings.log_format, settings.log_level)
    await PROCESSES[name](settings)


def main() -> int:
    """Return the exit code: 2 for a mistake in what we were told, with a text that says where."""
    try:
        # uvloop: a create costs a third less than with the standard library's loop
        uvloop.run(run(sys.argv[1] if len(sys.argv) > 1 else "work"))
    except Stop as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
