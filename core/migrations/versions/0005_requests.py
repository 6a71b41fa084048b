"""Deletion requests: the register and its clocks, mail in and out, receipts, alerts, and what a file is matched by"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mailbox",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("last_uid", sa.BigInteger(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failure", sa.String(40), nullable=True),
        sa.Column("failed_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "request",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("number", sa.String(12), nullable=False),
        sa.Column("press_id", sa.String(64), nullable=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("channel", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("clock", sa.String(24), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("extended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subject_id", sa.String(32), nullable=True),
        sa.Column("matched_by", sa.String(24), nullable=True),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(24), nullable=True),
        sa.Column("refused_ground", sa.String(24), nullable=True),
        sa.Column("duplicate_of", sa.String(32), nullable=True),
        sa.Column("assignee", sa.String(24), nullable=True),
        sa.Column("trouble", sa.String(60), nullable=True),
        sa.Column("export_id", sa.String(32), nullable=True),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="ck_request_state_closed"),
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="ck_request_closed_with_an_outcome"),
        sa.CheckConstraint("closed_at IS NULL OR sealed_key IS NULL", name="ck_request_closed_is_scrubbed"),
        sa.ForeignKeyConstraint(["duplicate_of"], ["request.id"]),
        sa.ForeignKeyConstraint(["export_id"], ["copy.id"]),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("press_id"),
    )
    op.create_index(
        "ix_request_closed",
        "request",
        ["closed_at"],
        sqlite_where=sa.text("closed_at IS NOT NULL"),
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_request_due",
        "request",
        ["due_at"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_request_duplicate_of",
        "request",
        ["duplicate_of"],
        sqlite_where=sa.text("duplicate_of IS NOT NULL"),
        postgresql_where=sa.text("duplicate_of IS NOT NULL"),
    )
    op.create_index("ix_request_received", "request", ["received_at"])
    op.create_index("ix_request_state", "request", ["state"])
    op.create_index(
        "ix_request_subject_id",
        "request",
        ["subject_id"],
        sqlite_where=sa.text("subject_id IS NOT NULL"),
        postgresql_where=sa.text("subject_id IS NOT NULL"),
    )
    op.create_index(
        "uq_request_one_active_erase",
        "request",
        ["subject_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'erase' AND closed_at IS NULL"),
        postgresql_where=sa.text("kind = 'erase' AND closed_at IS NULL"),
    )
    op.create_table(
        "alert",
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("threshold", sa.String(12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("again_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"]),
        sa.PrimaryKeyConstraint("request_id", "threshold"),
    )
    op.create_table(
        "mail_in",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("mailbox", sa.String(64), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.String(64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sort", sa.String(24), nullable=False),
        sa.Column("sender_mark", sa.String(64), nullable=True),
        sa.Column("request_id", sa.String(32), nullable=True),
        sa.Column("taken_from_mailbox_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sorted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_mail", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("mark"),
    )
    op.create_index(
        "ix_mail_in_kept",
        "mail_in",
        ["mailbox", "uid"],
        sqlite_where=sa.text("taken_from_mailbox_at IS NULL"),
        postgresql_where=sa.text("taken_from_mailbox_at IS NULL"),
    )
    op.create_index("ix_mail_in_request_id", "mail_in", ["request_id"])
    op.create_index("ix_mail_in_sender_mark", "mail_in", ["sender_mark"])
    op.create_index(
        "ix_mail_in_unsorted",
        "mail_in",
        ["received_at"],
        sqlite_where=sa.text("sealed_key IS NOT NULL"),
        postgresql_where=sa.text("sealed_key IS NOT NULL"),
    )
    op.create_table(
        "mail_out",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("request_id", sa.String(32), nullable=True),
        sa.Column("purpose", sa.String(24), nullable=False),
        sa.Column("once", sa.String(80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(40), nullable=True),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message_hash", sa.String(64), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_mail", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("(state = 'queued') = (sealed_key IS NOT NULL)", name="ck_mail_out_scrubbed_when_over"),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_hash"),
        sa.UniqueConstraint("once"),
    )
    op.create_index("ix_mail_out_request_id", "mail_out", ["request_id"])
    op.create_index("ix_mail_out_state", "mail_out", ["state"])
    op.create_table(
        "receipt",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("request_id", "revision", name="uq_receipt_revision"),
    )
    op.create_table(
        "request_message",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("way", sa.String(24), nullable=False),
        sa.Column("author", sa.String(40), nullable=False),
        sa.Column("template", sa.String(24), nullable=True),
        sa.Column("same_address", sa.Boolean(), nullable=False),
        sa.Column("message_hash", sa.String(64), nullable=True),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_hash"),
    )
    op.create_index("ix_request_message_request_id", "request_message", ["request_id"])
    op.add_column("copy", sa.Column("original_hash", sa.String(64), nullable=True))
    op.create_index(
        "ix_copy_original",
        "copy",
        ["original_hash"],
        sqlite_where=sa.text("original_hash IS NOT NULL"),
        postgresql_where=sa.text("original_hash IS NOT NULL"),
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


# Receipt is when the channel says it was, for ever. The promise to erase is never extended; another clock once.
SQLITE = (
    """CREATE TRIGGER request_clock_never_changes BEFORE UPDATE ON request
    WHEN NEW.received_at IS NOT OLD.received_at OR NEW.kind IS NOT OLD.kind OR NEW.clock IS NOT OLD.clock
        OR (NEW.due_at IS NOT OLD.due_at AND (OLD.kind = 'erase' OR OLD.extended_at IS NOT NULL
            OR NEW.extended_at IS NULL OR NEW.due_at < OLD.due_at))
        OR (OLD.extended_at IS NOT NULL AND NEW.extended_at IS NOT OLD.extended_at)
    BEGIN SELECT RAISE(ABORT, 'the clock of a request never changes'); END""",
)
POSTGRESQL = (
    """CREATE FUNCTION request_clock_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the clock of a request never changes'; END $$""",
    """CREATE TRIGGER request_clock_never_changes BEFORE UPDATE ON request FOR EACH ROW
    WHEN (NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.kind IS DISTINCT FROM OLD.kind
        OR NEW.clock IS DISTINCT FROM OLD.clock
        OR (NEW.due_at IS DISTINCT FROM OLD.due_at AND (OLD.kind = 'erase' OR OLD.extended_at IS NOT NULL
            OR NEW.extended_at IS NULL OR NEW.due_at < OLD.due_at))
        OR (OLD.extended_at IS NOT NULL AND NEW.extended_at IS DISTINCT FROM OLD.extended_at))
    EXECUTE FUNCTION request_clock_refuses()""",
)
