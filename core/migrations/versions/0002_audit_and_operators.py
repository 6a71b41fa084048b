"""The audit log, which can only be added to; operators and their sessions"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

HEX = 64


def upgrade() -> None:
    _audit_tables()
    _operator_tables()
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def _audit_tables() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(40), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(HEX), nullable=False),
        sa.Column("hash", sa.String(HEX), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"])
    for column in ("actor", "action", "ref"):  # each with seq: a filtered page is read in order, not sorted
        op.create_index(f"ix_audit_entry_{column}", "audit_entry", [column, "seq"])
    op.create_table(
        "audit_checkpoint",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(HEX), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )


def _operator_tables() -> None:
    op.create_table(
        "staff_link",
        sa.Column("token_hash", sa.String(HEX), nullable=False),
        sa.Column("operator_id", sa.String(24), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_table(
        "operator_session",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("session_hash", sa.String(HEX), nullable=False),
        sa.Column("operator_id", sa.String(24), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("way", sa.String(24), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_operator_session_session_hash", "operator_session", ["session_hash"])
    op.create_index("ix_operator_session_operator_id", "operator_session", ["operator_id"])


# Twelve months by the database's own clock: no setting and no clock of ours can shorten them.
SQLITE = (
    """CREATE TRIGGER audit_entry_is_only_appended BEFORE INSERT ON audit_entry
    WHEN EXISTS (SELECT 1 FROM audit_entry WHERE seq >= NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'audit_entry can only be appended to'); END""",
    """CREATE TRIGGER audit_entry_never_changes BEFORE UPDATE ON audit_entry
    BEGIN SELECT RAISE(ABORT, 'audit_entry can only be appended to'); END""",
    """CREATE TRIGGER audit_entry_is_kept BEFORE DELETE ON audit_entry
    WHEN OLD.at >= datetime('now', '-12 months')
        OR NOT EXISTS (SELECT 1 FROM audit_checkpoint WHERE seq >= OLD.seq)
    BEGIN SELECT RAISE(ABORT, 'audit_entry is kept for twelve months, and pruned under a checkpoint'); END""",
    """CREATE TRIGGER audit_checkpoint_is_only_added BEFORE INSERT ON audit_checkpoint
    WHEN EXISTS (SELECT 1 FROM audit_checkpoint WHERE seq >= NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'audit_checkpoint can only be appended to'); END""",
    """CREATE TRIGGER audit_checkpoint_never_changes BEFORE UPDATE ON audit_checkpoint
    BEGIN SELECT RAISE(ABORT, 'audit_checkpoint can only be appended to'); END""",
    """CREATE TRIGGER audit_checkpoint_is_kept BEFORE DELETE ON audit_checkpoint
    BEGIN SELECT RAISE(ABORT, 'audit_checkpoint can only be appended to'); END""",
)

POSTGRESQL = (
    """CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '% can only be appended to', TG_TABLE_NAME; END $$""",
    """CREATE FUNCTION audit_entry_insert() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM audit_entry WHERE seq >= NEW.seq) THEN
            RAISE EXCEPTION 'audit_entry can only be appended to';
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE FUNCTION audit_checkpoint_insert() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM audit_checkpoint WHERE seq >= NEW.seq) THEN
            RAISE EXCEPTION 'audit_checkpoint can only be appended to';
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE FUNCTION audit_entry_delete() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.at >= now() - interval '12 months'
            OR NOT EXISTS (SELECT 1 FROM audit_checkpoint WHERE seq >= OLD.seq) THEN
            RAISE EXCEPTION 'audit_entry is kept for twelve months, and pruned under a checkpoint';
        END IF;
        RETURN OLD;
    END $$""",
    """CREATE TRIGGER audit_entry_is_only_appended BEFORE INSERT ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_insert()""",
    """CREATE TRIGGER audit_entry_never_changes BEFORE UPDATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()""",
    """CREATE TRIGGER audit_entry_is_kept BEFORE DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_delete()""",
    """CREATE TRIGGER audit_entry_is_never_emptied BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()""",
    """CREATE TRIGGER audit_checkpoint_is_only_added BEFORE INSERT ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION audit_checkpoint_insert()""",
    """CREATE TRIGGER audit_checkpoint_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()""",
)
