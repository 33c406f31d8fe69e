"""What two-way sync, audit, alerts, plans and tokens keep."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OPEN = "state IN ('reserved', 'sending', 'in-doubt')"
OPEN_HOLDS_ARE_TOLD = """
    INSERT INTO alerts (key, source, connection, reason, since, opened_at)
    SELECT workflow_id, 'hold', connection, reason, opened_at, opened_at FROM holds WHERE closed_at IS NULL
"""

# The chain of hashes shows what was done to the log; these keep slips and most tools from doing it at all.
AUDIT_GUARDS = {
    "sqlite": [
        """CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
           BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END""",
        """CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
           BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END""",
        # Not only for order: INSERT OR REPLACE deletes without asking the trigger above.
        """CREATE TRIGGER audit_at_end BEFORE INSERT ON audit
           WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit)
           BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to, at its end'); END""",
    ],
    "postgresql": [
        """CREATE FUNCTION audit_refusal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           RAISE EXCEPTION 'the audit log is only ever added to'; END $$""",
        """CREATE FUNCTION audit_at_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF NEW.seq IS DISTINCT FROM (SELECT coalesce(max(seq), 0) + 1 FROM audit) THEN
               RAISE EXCEPTION 'the audit log is only ever added to, at its end';
           END IF;
           RETURN NEW; END $$""",
        """CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
           FOR EACH STATEMENT EXECUTE FUNCTION audit_refusal()""",
        """CREATE TRIGGER audit_at_end BEFORE INSERT ON audit
           FOR EACH ROW EXECUTE FUNCTION audit_at_end()""",
    ],
}
AUDIT_GUARDS_GONE = {
    "sqlite": [f"DROP TRIGGER audit_{name}" for name in ("no_update", "no_delete", "at_end")],
    "postgresql": [
        "DROP TRIGGER audit_no_change ON audit",
        "DROP TRIGGER audit_at_end ON audit",
        "DROP FUNCTION audit_refusal",
        "DROP FUNCTION audit_at_end",
    ],
}


def upgrade() -> None:
    _intents()
    _holds()
    _aliases()
    _waiting_creates()
    _lags()
    _marks()
    _audit()
    _guard_audit()
    _tokens()
    _alerts()
    _inbox()
    _news()
    _plans()


def _intents() -> None:
    with op.batch_alter_table("intents") as batch:
        batch.drop_index("uq_intents_open")
        batch.alter_column("crm_id", new_column_name="record_id")
        batch.add_column(sa.Column("side", sa.String(length=10), nullable=False, server_default="crm"))
        batch.add_column(sa.Column("admission", sa.String(length=10), nullable=False, server_default=""))
        batch.add_column(sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("intents") as batch:
        batch.alter_column("side", server_default=None)
        batch.alter_column("admission", server_default=None)
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


def _lags() -> None:
    op.create_table(
        "lags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection", sa.String(length=40), nullable=False),
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lags")),
    )


def _audit() -> None:
    """Values move into a table of their own; the rows that are there precede the chain of hashes."""
    op.create_table(
        "audit_values",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_values")),
    )
    op.execute("INSERT INTO audit_values SELECT seq, sealed_values FROM audit WHERE sealed_values IS NOT NULL")
    op.drop_index("ix_audit_connection", "audit")
    op.drop_index("ix_audit_crm_id", "audit")
    with op.batch_alter_table("audit") as batch:
        batch.drop_column("sealed_values")
        batch.add_column(sa.Column("side", sa.String(length=10), nullable=False, server_default="books"))
        batch.add_column(sa.Column("workflow_id", sa.String(length=255), nullable=False, server_default=""))
        batch.add_column(sa.Column("request", sa.Text(), nullable=False, server_default=""))
        batch.add_column(sa.Column("answer", sa.Text(), nullable=False, server_default=""))
        batch.add_column(sa.Column("key_id", sa.String(length=40), nullable=True))
        for name in ("values_commit", "prev_hash", "hash"):
            batch.add_column(sa.Column(name, sa.LargeBinary(), nullable=True))
    with op.batch_alter_table("audit") as batch:
        for name in ("side", "workflow_id", "request", "answer"):
            batch.alter_column(name, server_default=None)
    op.create_index("ix_audit_crm_id_connection_flow_at", "audit", ["crm_id", "connection", "flow", "at"])


def _guard_audit() -> None:
    """The database itself refuses to change or to delete a row of the audit log, and to add one but at its end."""
    for statement in AUDIT_GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def _unguard_audit() -> None:
    for statement in AUDIT_GUARDS_GONE[op.get_bind().dialect.name]:
        op.execute(statement)


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("connection", sa.String(length=40), nullable=False),
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed_tokens", sa.LargeBinary(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("account_id", sa.String(length=255), nullable=True),
        sa.Column("refreshing_by", sa.String(length=40), nullable=True),
        sa.Column("refreshing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rejected", sa.String(length=64), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connection", "system", name=op.f("pk_tokens")),
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("connection", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    over = sa.text("ended_at IS NULL")
    op.create_index("uq_alerts_open", "alerts", ["key"], unique=True, sqlite_where=over, postgresql_where=over)
    op.execute(OPEN_HOLDS_ARE_TOLD)
    op.create_table(
        "alert_tellings",
        sa.Column("alert_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("alert_id", "channel", name=op.f("pk_alert_tellings")),
    )
    op.create_table(
        "alert_channels",
        sa.Column("channel", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_alert_channels")),
    )
    op.create_table(
        "alert_watch",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_watch")),
    )


def _inbox() -> None:
    with op.batch_alter_table("inbox") as batch:
        batch.add_column(sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("problem", sa.String(length=255), nullable=False, server_default=""))
    with op.batch_alter_table("inbox") as batch:
        for name in ("attempts", "problem"):
            batch.alter_column(name, server_default=None)


def _news() -> None:
    op.create_table(
        "news",
        sa.Column("connection", sa.String(length=40), nullable=False),
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.String(length=255), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announced", sa.String(length=64), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connection", "system", "record_id", name=op.f("pk_news")),
    )
    op.create_index("ix_news_updated_at", "news", ["updated_at"])
    op.create_table(
        "news_counts",
        sa.Column("connection", sa.String(length=40), nullable=False),
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("by_webhook", sa.Integer(), nullable=False),
        sa.Column("by_sweep", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "system", "day", name=op.f("pk_news_counts")),
    )


def _plans() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("connection", sa.String(length=40), nullable=False),
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("mapping_version", sa.String(length=64), nullable=False),
        sa.Column("two_way", sa.Boolean(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    op.create_index("ix_plans_connection", "plans", ["connection"])
    op.create_table(
        "plan_staged",
        sa.Column("plan_id", sa.String(length=60), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("record_id", sa.String(length=255), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "side", "record_id", name=op.f("pk_plan_staged")),
    )
    op.create_table(
        "plan_items",
        sa.Column("plan_id", sa.String(length=60), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("party_id", sa.String(length=255), nullable=True),
        sa.Column("client_id", sa.String(length=255), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_detail", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "number", name=op.f("pk_plan_items")),
    )
    op.create_index("ix_plan_items_plan_id_state_action_number", "plan_items", ["plan_id", "state", "action", "number"])


def _marks() -> None:
    op.create_table(
        "marks",
        sa.Column("connection", sa.String(length=40), nullable=False),
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.String(length=255), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "system", "reference", "record_id", name=op.f("pk_marks")),
    )


def downgrade() -> None:
    op.drop_table("marks")
    for table in ("plan_items", "plan_staged", "plans"):
        op.drop_table(table)
    op.drop_table("news_counts")
    op.drop_table("news")
    with op.batch_alter_table("inbox") as batch:
        for name in ("attempts", "due_at", "problem"):
            batch.drop_column(name)
    for table in ("alert_watch", "alert_channels", "alert_tellings", "alerts"):
        op.drop_table(table)
    op.drop_table("tokens")
    _audit_of_0001()
    op.drop_table("lags")
    op.drop_table("waiting_creates")
    op.drop_table("aliases")
    with op.batch_alter_table("holds") as batch:
        batch.drop_column("side")
        batch.alter_column("record_id", new_column_name="crm_id")
    with op.batch_alter_table("intents") as batch:
        batch.drop_index("uq_intents_open")
        batch.drop_index("ix_intents_reference")
        batch.drop_column("side")
        batch.drop_column("admission")
        batch.drop_column("admitted_at")
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


def _audit_of_0001() -> None:
    _unguard_audit()
    op.drop_index("ix_audit_crm_id_connection_flow_at", "audit")
    with op.batch_alter_table("audit") as batch:
        batch.add_column(sa.Column("sealed_values", sa.LargeBinary(), nullable=True))
        for name in ("side", "workflow_id", "request", "answer", "key_id", "values_commit", "prev_hash", "hash"):
            batch.drop_column(name)
        batch.create_index("ix_audit_connection", ["connection"])
        batch.create_index("ix_audit_crm_id", ["crm_id"])
    op.execute("UPDATE audit SET sealed_values = (SELECT sealed FROM audit_values WHERE audit_values.seq = audit.seq)")
    op.drop_table("audit_values")
