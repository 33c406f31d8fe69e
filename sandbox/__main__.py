"""`python -m sandbox`: the stand-ins on ports of this machine."""

import argparse
import asyncio
import logging
import os
import socket
import sys
from pathlib import Path

from sandbox.app import build_sandbox, serve
from sandbox.ledger import LedgerError

SYSTEMS = ("capsule", "freshbooks", "zoho_crm")
TAKEN = 2
"""Exit code for a port or a ledger that cannot be used."""


def main(arguments: list[str] | None = None) -> int:
    """Run the sandbox until it is stopped; return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="sandbox: %(message)s")
    options, ports = _read(arguments)
    try:
        sockets = {name: _listen(options.host, port) for name, port in ports.items()}
        sandbox = build_sandbox(
            options.ledger,
            seed=options.seed,
            records=options.records,
            capsule_requests_per_hour=options.capsule_requests_per_hour,
            freshbooks_requests_per_minute=options.freshbooks_requests_per_minute,
            zoho_crm_records=options.zoho_crm_records,
            opportunities=options.opportunities,
            time_entries=options.time_entries,
        )
    except (OSError, LedgerError) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return TAKEN
    asyncio.run(serve(sandbox, sockets))
    return 0


def _read(arguments: list[str] | None) -> tuple[argparse.Namespace, dict[str, int]]:
    """Return the options, and the ports of those systems that are to listen. Exits with 2 if there are none."""
    parser = _parser()
    options = parser.parse_args(arguments)
    ports = {name: getattr(options, f"{name}_port") for name in SYSTEMS}
    given = {name: port for name, port in ports.items() if port is not None}
    if not given:
        parser.error("nothing would listen: give --capsule-port, --freshbooks-port or --zoho-crm-port, or several")
    return options, given


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=512)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(f"cannot listen on {host}:{port} ({reason}); free the port or choose another one") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="Stand-ins of Capsule CRM, FreshBooks and Zoho CRM."
    )
    for name in SYSTEMS:
        option = f"--{name.replace('_', '-')}-port"
        parser.add_argument(option, type=int, help="0 takes any free port; without it this system does not listen")
    parser.add_argument("--ledger", type=Path, required=True, help="file that keeps every accepted write")
    parser.add_argument("--seed", type=int, default=1, help="decides tokens, generated records and chance")
    parser.add_argument("--records", type=int, default=0, help="parties that Capsule has from the start")
    parser.add_argument("--opportunities", type=int, default=0, help="opportunities that Capsule has from the start")
    parser.add_argument("--time-entries", type=int, default=0, help="time entries that FreshBooks has from the start")
    parser.add_argument("--zoho-crm-records", type=int, default=0, help="records that Zoho CRM has from the start")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--capsule-requests-per-hour", type=int, default=4000)
    parser.add_argument("--freshbooks-requests-per-minute", type=int, default=600)
    return parser


if __name__ == "__main__":
    sys.exit(main())
