"""What two-way sync, audit, alerts, plans and tokens keep."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OPEN = "state IN ('reserved', 'sending', 'in-doubt')"


def upgrade() -> None:
    _intents()
    _holds()
    _aliases()
    _waiting_creates()


def _intents() -> None:
    with op.batch_alter_table("intents") as batch:
        batch.drop_index("uq_intents_open")
        batch.alter_column("crm_id", new_column_name="record_id")
        batch.add_column(sa.Column("side", sa.String(length=10), nullable=False, server_default="crm"))
    with op.batch_alter_table("intents") as batch:
        batch.alter_column("side", server_default=None)
        batch.create_index("ix_intents_reference", ["reference"], unique=False)
        batch.create_index(
            "uq_intents_open",
            ["connection", "flow", "side", "record_id"],
            unique=True,
            sqlite_where=sa.text(OPEN),
            postgresql_where=sa.text(OPEN),
        )


def _holds() -> None:
    with op.batch_alter_table("holds") as batch:
        batch.alter_column("crm_id", new_column_name="record_id")
        batch.add_column(sa.Column("side", sa.String(length=10), nullable=False, server_default="crm"))
    with op.batch_alter_table("holds") as batch:
        batch.alter_column("side", server_default=None)


def _aliases() -> None:
    op.create_table(
        "aliases",
        sa.Column("connection", sa.String(length=40), nullable=False),
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("crm_id", sa.String(length=255), nullable=False),
        sa.Column("now_crm_id", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connection", "flow", "crm_id", name=op.f("pk_aliases")),
    )


def _waiting_creates() -> None:
    op.create_table(
        "waiting_creates",
        sa.Column("connection", sa.String(length=40), nullable=False),
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("record_id", sa.String(length=255), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connection", "flow", "side", "record_id", name=op.f("pk_waiting_creates")),
    )


def downgrade() -> None:
    op.drop_table("waiting_creates")
    op.drop_table("aliases")
    with op.batch_alter_table("holds") as batch:
        batch.drop_column("side")
        batch.alter_column("record_id", new_column_name="crm_id")
    with op.batch_alter_table("intents") as batch:
        batch.drop_index("uq_intents_open")
        batch.drop_index("ix_intents_reference")
        batch.drop_column("side")
        batch.alter_column("record_id", new_column_name="crm_id")
    _index_of_0001()


def _index_of_0001() -> None:
    with op.batch_alter_table("intents") as batch:
        batch.create_index(
            "uq_intents_open",
            ["connection", "flow", "crm_id"],
            unique=True,
            sqlite_where=sa.text(OPEN),
            postgresql_where=sa.text(OPEN),
        )
