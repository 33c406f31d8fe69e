"""`ledgerline status`: how every record stands, or one of them; for people, and for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from rich.console import Console
from rich.table import Table

from runtime.errors import Stop
from runtime.settings import Settings
from starters.asked_records import asked_for
from starters.audit import opened_store
from starters.operators import ago, show_status
from starters.record_names import one
from store.audit import AuditLine
from store.records import RecordKey
from store.status import RecordLine, Standing, Wanted
from store.store import Store

MOST_FOUND = 500


async def status(record: str | None, connection: str | None, *, as_json: bool) -> int:
    """Print how all records stand, or how one does and what was written to it.

    Returns 1 if something of what is shown waits for a person, else 0. Raises Stop.
    """
    async with opened_store() as (settings, store):
        _check(settings, connection)
        if record is not None:
            return await _one(store, record, connection, as_json=as_json)
        standings = await store.statuses.standings(connection)
    if as_json:
        _say_json({"standings": [asdict(each) for each in standings]})
    else:
        if connection is None:
            await show_status()
        Console().print(_standings(standings) if standings else "no record is known yet")
    return int(any(each.state == "held" for each in standings))


async def _one(store: Store, record: str, connection: str | None, *, as_json: bool) -> int:
    asked = asked_for(record)
    found = await store.statuses.records(Wanted(connection, record_id=asked.record_id), limit=MOST_FOUND)
    lines = [line for line in found if asked.fits(line)]
    written = await _written(store, lines)
    if as_json:
        _say_json({"records": [asdict(each) for each in lines], "written": [asdict(each) for each in written]})
    elif lines:
        Console().print(_records(lines))
        for line in written:
            text = f"{line.at:%Y-%m-%d %H:%M:%S} UTC  {line.action}: {', '.join(line.fields) or 'no fields'}"
            Console().print(f"{text} (because of {line.cause})", highlight=False, soft_wrap=True)
    else:
        raise Stop(f"{record!r} is not linked, held or waiting; `ledgerline audit show` knows what was written to it")
    return int(any(each.state == "held" for each in lines))


async def _written(store: Store, lines: Sequence[RecordLine]) -> list[AuditLine]:
    """Return what was written to the records found, newest first."""
    keys = {_key(line) for line in lines}
    found = [line for key in keys for line in await store.audit.history(key)]
    return sorted(found, key=lambda line: -line.seq)


def _key(line: RecordLine) -> RecordKey:
    return RecordKey(line.connection, line.flow, line.record_id, "books" if line.side == "books" else "crm")


def _check(settings: Settings, connection: str | None) -> None:
    if connection is not None and connection not in settings.connections:
        known = ", ".join(settings.connections) or "none is configured"
        raise Stop(f"there is no connection {connection}; there are: {known}")


def _standings(standings: Sequence[Standing]) -> Table:
    table = Table(title="every record, by how it stands", title_justify="left")
    for heading in ("connection", "flow", "state", "reason", "records", "oldest"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "records" else "left")
    for each in standings:
        oldest = ago(each.oldest) if each.oldest else ""
        table.add_row(each.connection, each.flow, each.state, each.reason, str(each.count), oldest)
    return table


def _records(lines: Sequence[RecordLine]) -> Table:
    table = Table()
    for heading in ("connection", "record", "partner", "state", "reason", "since", "hold"):
        table.add_column(heading, no_wrap=heading != "hold", overflow="fold")
    for each in lines:
        partner = one(each.flow, "books", each.partner_id) if each.partner_id else ""
        record = one(each.flow, each.side, each.record_id)
        table.add_row(each.connection, record, partner, each.state, each.reason, ago(each.since), each.workflow_id)
    return table


def _say_json(content: object) -> None:
    def text(value: object) -> str:
        return value.isoformat() if isinstance(value, datetime) else str(value)

    Console().print(json.dumps(content, default=text), highlight=False, markup=False, soft_wrap=True)
