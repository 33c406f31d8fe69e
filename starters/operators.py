"""What operators look at and keep up from the command line."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.table import Table

from runtime.load import load_settings
from runtime.settings import Connection
from runtime.temporal import connect
from starters.record_names import CLIENTS_FLOW, LINKING, held_record, kind_of, one
from starters.schedules import set_schedules
from store.holds import OpenHold
from store.news import WaysCount
from store.store import Store, open_store
from workflows.client_sweeps import CLIENTS
from workflows.sweeps import PARTIES

LATEST = 10
WEEK = timedelta(days=7)
SHOWN_WORDS = 2


async def make_schedules() -> int:
    """Make every schedule as it should be; those not wanted any more go. Raises Stop without settings or Temporal."""
    settings = load_settings()
    temporal = await connect(settings)
    for line in await set_schedules(temporal, settings, run_now=False):
        Console().print(line, highlight=False)
    return 0


async def show_status() -> int:
    """Print what is in step, what waits, and the latest writes. Raises Stop if the store is not to be had."""
    settings = load_settings()
    store = await open_store(settings)
    console = Console()
    for name, connection in settings.connections.items():
        console.print(await _connection_table(store, name, connection))
    console.print(await latest_table(store, LATEST))
    waiting = await store.inbox.size()
    if waiting:
        console.print(f"{waiting} changes wait in the inbox until Temporal can be reached")
    aside = await store.inbox.set_aside()
    for each in aside[:LATEST]:
        about = f"{each.connection}: {each.system} {each.record_id} ({each.problem}, {ago(each.received_at)})"
        console.print(f"set aside, cannot be handed over: {about}", highlight=False, soft_wrap=True)
    if aside:
        console.print(f"{len(aside)} changes are set aside; mend the cause, then restart the receiver")
    alerts = await store.alerts.listed()
    if alerts:
        console.print(f"{len(alerts)} alerts are open; see `ledgerline alerts list`", highlight=False)
    await store.close()
    return 0


async def latest_table(store: Store, count: int) -> Table:
    """Return the latest writes as a table: ids and field names, no values."""
    table = Table(title="latest writes", title_justify="left", expand=False)
    for heading in ("when", "connection", "in the CRM", "in the books", "action", "fields", "cause"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis", max_width=40)
    for line in await store.audit.latest(count):
        fields, cause = _few(line.fields), _few(line.cause.split(", "))
        crm, books = one(line.flow, "crm", line.crm_id), one(line.flow, "books", line.books_id)
        table.add_row(ago(line.at), line.connection, crm, books, line.action, fields, cause)
    return table


async def _connection_table(store: Store, connection: str, settings: Connection) -> Table:
    holds = [hold for hold in await store.holds.listed() if hold.connection == connection]
    table = Table(title=f"connection {connection}", title_justify="left", show_header=False)
    await _add_counts(table, store, connection)
    for records, stream in streams(settings):
        cursor = await store.cursors.read(connection, stream)
        if cursor or records != "clients":  # clients are swept only where they lead to parties
            table.add_row(f"{records} swept until", ago(cursor) if cursor else "never yet")
    for ways in await store.news.counts((datetime.now(UTC) - WEEK).date()):
        if ways.connection == connection:
            table.add_row(f"{ways.system}: changes of 7 days", told_by(ways))
    table.add_row("holds", f"{len(holds)}{_by_kind(holds)}")
    for hold in holds[:LATEST]:
        table.add_row(f"  {hold.reason}", f"{held_record(hold)}, {ago(hold.opened_at)}: {hold.workflow_id}")
    return table


async def _add_counts(table: Table, store: Store, connection: str) -> None:
    """Say of each kind how many pairs are linked and, over all kinds, which creates are open."""
    standings = {flow: await store.links.standing(connection, flow) for flow in LINKING}
    for flow, standing in standings.items():
        if flow == CLIENTS_FLOW or any((standing.linked, standing.creating, standing.in_doubt)):
            gone = f" ({standing.gone} archived, void or deleted)" if standing.gone else ""
            table.add_row(f"{flow} in step", f"{standing.linked}{gone}")
    table.add_row("creates not finished", _each({flow: each.creating for flow, each in standings.items()}))
    table.add_row("creates in doubt", _each({flow: each.in_doubt for flow, each in standings.items()}))


def streams(settings: Connection) -> list[tuple[str, str]]:
    """Return what is swept, and how the store calls it."""
    streams = [("parties", PARTIES[settings.crm]), ("clients", CLIENTS)]
    return [*streams, ("opportunities", f"{settings.crm}.opportunities")] if settings.opportunities else streams


def _each(counts: Mapping[str, int]) -> str:
    """Return a sum, and what it is made of: "3 (clients 1, invoices 2)"."""
    parts = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    return f"{sum(counts.values())}{f' ({parts})' if parts else ''}"


def _by_kind(holds: Sequence[OpenHold]) -> str:
    """Return how many holds there are of each kind and reason: " (client conflict 1, opportunity approval 2)"."""
    counts = Counter(f"{kind_of(hold)} {hold.reason}" for hold in holds)
    return f" ({', '.join(f'{what} {count}' for what, count in sorted(counts.items()))})" if counts else ""


def told_by(ways: WaysCount) -> str:
    """Return how many changes webhooks told of, and which share of all only a sweep found."""
    return f"{ways.by_webhook} told by webhooks, {ways.by_sweep} found by sweeps alone ({ways.missed:.1%})"


def _few(words: Sequence[str]) -> str:
    """Return the first words and how many more there are."""
    rest = f" +{len(words) - SHOWN_WORDS}" if len(words) > SHOWN_WORDS else ""
    return ", ".join(words[:SHOWN_WORDS]) + rest


def ago(instant: datetime) -> str:
    """Return how long ago something was, as a person would say it."""
    seconds = max(0, int((datetime.now(UTC) - instant).total_seconds()))
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {name} ago"
    return f"{seconds} s ago"
