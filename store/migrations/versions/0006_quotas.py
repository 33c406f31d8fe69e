"""What each account allows, and what all processes took of it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add what is new."""
    op.create_table(
        "quotas",
        sa.Column("connection", sa.String(length=40), nullable=False),
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("window_seconds", sa.Integer(), nullable=False),
        sa.Column("granted", sa.Integer(), nullable=True),
        sa.Column("spent", sa.JSON(), nullable=False),
        sa.Column("left", sa.Integer(), nullable=True),
        sa.Column("left_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connection", "system", name=op.f("pk_quotas")),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("quotas")
