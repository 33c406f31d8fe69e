"""Alembic's entry: runs the migrations on the connection that `store.database` opened and locked."""

from typing import Any, Literal

from alembic import context

import store.alerts  # its tables belong to the metadata
import store.bill_tables  # likewise
import store.channels  # likewise
import store.news  # likewise
import store.plan_tables  # likewise
import store.reconciliation_tables  # likewise
import store.tokens  # noqa: F401 - its table belongs to the metadata
from store.tables import Instant, Table


def _plain_types(kind: str, item: Any, autogen: object) -> str | Literal[False]:
    """Write our own column type as what it is in the database: migrations must not depend on today's code."""
    del autogen
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Instant) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Table.metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=_plain_types,
)
with context.begin_transaction():
    context.run_migrations()
