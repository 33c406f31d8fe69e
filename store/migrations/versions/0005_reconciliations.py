"""Reports of comparing both sides in full, and what each found."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add what is new."""
    op.create_table(
        "reconciliations",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("connection", sa.String(length=40), nullable=False),
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("mapping_version", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliations")),
    )
    op.create_index(
        "ix_reconciliations_connection_flow_started_at", "reconciliations", ["connection", "flow", "started_at"]
    )
    op.create_table(
        "mismatches",
        sa.Column("report_id", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("repair", sa.String(length=10), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_detail", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("report_id", "number", name=op.f("pk_mismatches")),
    )
    op.create_index("ix_mismatches_report_id_kind_number", "mismatches", ["report_id", "kind", "number"])


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("mismatches")
    op.drop_table("reconciliations")
