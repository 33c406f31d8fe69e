"""`ledgerline audit …`: what was written to a record and why, and the proof that the log of it is whole."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from rich.console import Console

from runtime.errors import Stop
from runtime.load import load_settings
from runtime.settings import Settings
from starters.operators import ago
from starters.record_names import KINDS, one, words
from store.audit import AuditLine, AuditValues
from store.audit_anchors import Anchors, parse_anchor
from store.audit_chain import head
from store.audit_check import Verdict, verify
from store.records import RecordKey
from store.store import Store, open_store

PERSONS = ("party", "client")
ERASED = "the values were erased"


class UnknownRecord(Stop):
    """No such record, or not in this log. The text says what to type."""


async def show_record(record: str, connection: str | None, *, values: bool) -> int:
    """Print the history of a record, newest first; what was written only with `values`. Raises Stop."""
    async with opened_store() as (settings, store):
        for line in await _history(store, await keys_of(settings, store, record, connection)):
            _say(f"{line.seq}  {line.at:%Y-%m-%d %H:%M:%S} UTC  {line.action}  {_written(line)}")
            _say(f"      fields: {', '.join(line.fields) or 'none'}; mapping {line.mapping_version or 'none'}")
            _say(f"      because of {line.cause}; {_request(line)}")
            if values:
                found = await store.audit.values(line)
                _say_values(line, found)
                _say_times(line, found, "      ")
    return 0


async def explain_field(record: str, field: str, connection: str | None, *, values: bool) -> int:
    """Print which event, rule, request and answer made the value of a field. Raises Stop."""
    async with opened_store() as (settings, store):
        history = await _history(store, await keys_of(settings, store, record, connection))
        line = next((each for each in history if field in each.fields), None)
        if line is None:
            known = ", ".join(sorted({each for line in history for each in line.fields}))
            raise UnknownRecord(f"no write of {field} is recorded for {record}; recorded are: {known or 'none'}")
        found = await store.audit.values(line)
        _say(f"{field} of {_written(line)} was last written {ago(line.at)}, on {line.at:%Y-%m-%d at %H:%M:%S} UTC.")
        _say(f"That was row {line.seq} of the audit log: {line.action}, because of {line.cause}.")
        _say(f"The workflow was {line.workflow_id or 'not recorded'}; {_request(line)}.")
        rule = found.rules.get(field) if found else None
        _say(f"The rule was: {rule or 'not recorded'} (mapping {line.mapping_version}).")
        if found is None:
            _say(f"What it said before and after is not kept any more: {ERASED}.")
        elif values:
            _say(f"It was {_shown(found.before.get(field))} and became {_shown(found.after.get(field))}.")
        _say_times(line, found, "")
    return 0


async def verify_log(anchors: Sequence[str]) -> int:
    """Check the whole log, against the anchors of the file and those given; print what is wrong and where.

    Returns 0 if nothing is, else 1. Raises Stop.
    """
    given = [parse_anchor(each) for each in anchors]
    async with opened_store() as (settings, store):
        kept = Anchors(settings.data, store.database, store.keys)
        verdict = await verify(store.database, store.keys, (each for part in (kept.read(), given) for each in part))
        _say_verdict(verdict)
        if verdict.problems and kept.path.exists():
            _say(f"if you put back a backup yourself: note why, and move {kept.path} away")
    return 1 if verdict.problems else 0


async def write_anchor() -> int:
    """Write the head of the log into the file of anchors and print it. Raises Stop."""
    async with opened_store() as (settings, store):
        anchors = Anchors(settings.data, store.database, store.keys)
        try:
            await anchors.write()
        except OSError as error:
            raise Stop(f"{anchors.path} cannot be written: {error.strerror}") from error
        async with store.database.reading() as session:
            newest = await head(session)
    _say(str(newest) if newest else "nothing was written yet: there is nothing to anchor")
    return 0


@asynccontextmanager
async def opened_store() -> AsyncIterator[tuple[Settings, Store]]:
    """Give the settings and the store they name. Raises Stop."""
    settings = load_settings()
    store = await open_store(settings)
    try:
        yield settings, store
    finally:
        await store.close()


async def key_of(settings: Settings, store: Store, record: str, connection: str | None) -> RecordKey:
    """Return the party or the client that a person named: `7` and `party:7` are a party, `client:90210` is a client.

    Without a connection it is the only one there is, or the only one whose log knows the record. Raises UnknownRecord.
    """
    if record.rpartition(":")[0] not in {"", *PERSONS}:
        raise UnknownRecord(
            f"{record!r} is no record of a person: write a party as 7 or party:7, a client as client:90210"
        )
    (key,) = await keys_of(settings, store, record, connection)
    return key


async def keys_of(settings: Settings, store: Store, record: str, connection: str | None) -> list[RecordKey]:
    """Return the record that a person named, in each flow that has written to it: an opportunity has two documents.

    Names are `7`, `party:7`, `client:90210`, `opportunity:701` (or `deal:…`), `estimate:70001`, `invoice:80001`. The
    connection is found as `key_of` does. Raises UnknownRecord.
    """
    kind, _, number = record.rpartition(":")
    named = KINDS.get(kind or "party")
    if named is None or not number.isdecimal():
        raise UnknownRecord(
            f"{record!r} is no record: write a party as 7 or party:7, a client as client:90210, an opportunity as "
            "opportunity:701, its documents as estimate:70001 and invoice:80001"
        )
    if connection is None:
        known = list(settings.connections)
        if len(known) != 1:
            known = list(await store.audit.connections(named.side, number, named.flows))
        if len(known) != 1:
            choice = ", ".join(known or settings.connections) or "none is configured"
            raise UnknownRecord(f"say which connection with --connection: {choice}")
        connection = known[0]
    return [RecordKey(connection, flow, number, named.side) for flow in named.flows]


async def _history(store: Store, keys: Sequence[RecordKey]) -> Sequence[AuditLine]:
    """Return what was written to one record, in whichever flow, newest first. Raises UnknownRecord."""
    lines = [line for key in keys for line in await store.audit.history(key)]
    if not lines:
        key = keys[0]
        named = one(key.flow, key.side, key.record_id)
        raise UnknownRecord(f"nothing was ever written for {named} of {key.connection}")
    return sorted(lines, key=lambda line: line.seq, reverse=True)


def _written(line: AuditLine) -> str:
    in_crm, in_books = one(line.flow, "crm", line.crm_id), one(line.flow, "books", line.books_id)
    return f"{in_crm} (of {in_books})" if line.side == "crm" else f"{in_books} (of {in_crm})"


def _request(line: AuditLine) -> str:
    return f"request {line.request or 'not recorded'}, answer {line.answer or 'not recorded'}"


def _say_values(line: AuditLine, values: AuditValues | None) -> None:
    if values is None:
        _say(f"      {ERASED if line.fields else 'it wrote no values'}")
        return
    for field in line.fields:
        _say(f"      {field}: {_shown(values.before.get(field))} → {_shown(values.after.get(field))}")


def _say_times(line: AuditLine, values: AuditValues | None, indent: str) -> None:
    """Say when both records were created and changed as their systems said it then: by that the newest edit is told."""
    times = values.times if values else {}
    for side, name in zip(("crm", "books"), words(line.flow), strict=True):
        said = [
            f"{what} {times[f'{side}_{what}']:%Y-%m-%d %H:%M:%S} UTC"
            for what in ("created", "changed")
            if f"{side}_{what}" in times
        ]
        if said:
            _say(f"{indent}The {name} was then {', '.join(said)}.")


def _say_verdict(verdict: Verdict) -> None:
    if verdict.preceding:
        _say(f"{verdict.preceding} rows are of the first version and precede the chain")
    if verdict.erased:
        _say(f"the values of {verdict.erased} rows were erased, as later rows say")
    for problem in verdict.problems:
        _say(f"wrong: {problem}")
    if verdict.more:
        _say(f"and {verdict.more} more")
    if not verdict.anchors:
        _say("no anchor is known, so nobody can tell whether the end is missing: run ledgerline audit anchor")
    if not verdict.problems:
        _say(f"the audit log is whole: {verdict.rows} rows, {verdict.anchors} anchors, head {verdict.head or 'none'}")


def _shown(value: Any) -> str:
    """As JSON: an escape sequence that somebody hid in a name does nothing to the terminal."""
    return json.dumps(value, ensure_ascii=False)


def _say(text: str) -> None:
    Console().print(text, markup=False, highlight=False, soft_wrap=True)
