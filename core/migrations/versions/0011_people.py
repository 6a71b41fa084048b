"""Languages, reports of abuse with looks and blocks, breaches; and what people are found by when their time is over"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _language() -> sa.Column[object]:
    return sa.Column("language", sa.String(2), nullable=False, server_default="en")


def _partial(name: str, table: str, columns: list[str], condition: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))


def upgrade() -> None:
    _columns()
    _abuse()
    _breaches()


def _columns() -> None:
    op.add_column("consent", _language())
    op.add_column("request", _language())
    op.add_column("subject", sa.Column("may_be_looked_at", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("policy_version", _at("withdrawn_at", nullable=True))
    _partial("ix_subject_key_destroyed_at", "subject", ["key_destroyed_at"], "key_destroyed_at IS NOT NULL")
    _partial("ix_subject_with_key", "subject", ["created_at"], "sealed_key IS NOT NULL")


def _abuse() -> None:
    op.create_table(
        "abuse_report",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("number", sa.String(12), nullable=False, unique=True),
        sa.Column("press_id", sa.String(64), nullable=True, unique=True),
        sa.Column("kind", sa.String(24), nullable=False),
        _language(),
        _at("received_at"),
        _at("due_at"),
        sa.Column("subject_id", sa.String(32), sa.ForeignKey("subject.id"), nullable=True),
        sa.Column("copy_id", sa.String(32), sa.ForeignKey("copy.id"), nullable=True),
        sa.Column("generation_id", sa.String(32), sa.ForeignKey("generation.id"), nullable=True),
        sa.Column("file_hash", sa.String(64), nullable=True),
        _at("closed_at", nullable=True),
        sa.Column("outcome", sa.String(24), nullable=True),
        sa.Column("sealed_key", sa.LargeBinary, nullable=True),
        sa.Column("sealed_words", sa.LargeBinary, nullable=True),
        sa.Column("sealed_address", sa.LargeBinary, nullable=True),
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="ck_abuse_report_closed_with_an_outcome"),
        sa.CheckConstraint("closed_at IS NULL OR sealed_key IS NULL", name="ck_abuse_report_closed_is_scrubbed"),
    )
    _partial("ix_abuse_report_due", "abuse_report", ["due_at"], "closed_at IS NULL")
    _partial("ix_abuse_report_closed", "abuse_report", ["closed_at"], "closed_at IS NOT NULL")
    _partial("ix_abuse_report_subject_id", "abuse_report", ["subject_id"], "subject_id IS NOT NULL")
    op.create_table(
        "glass_view",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("report_id", sa.String(32), sa.ForeignKey("abuse_report.id"), nullable=False),
        sa.Column("subject_id", sa.String(32), sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("copy_id", sa.String(32), sa.ForeignKey("copy.id"), nullable=False),
        sa.Column("reason", sa.String(24), nullable=False),
        sa.Column("asked_by", sa.String(24), nullable=False),
        _at("asked_at"),
        sa.Column("decided_by", sa.String(24), nullable=True),
        _at("decided_at", nullable=True),
        _at("until", nullable=True),
        _at("first_seen_at", nullable=True),
        _at("last_seen_at", nullable=True),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="ck_glass_view_takes_two"),
        sa.CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="ck_glass_view_decided_by_somebody"),
        sa.CheckConstraint("until IS NULL OR decided_at IS NOT NULL", name="ck_glass_view_open_once_decided"),
        sa.CheckConstraint("first_seen_at IS NULL OR until IS NOT NULL", name="ck_glass_view_seen_once_allowed"),
    )
    op.create_index("ix_glass_view_report_id", "glass_view", ["report_id"])
    op.create_index("ix_glass_view_subject_id", "glass_view", ["subject_id"])
    _partial("ix_glass_view_waits", "glass_view", ["asked_at"], "decided_at IS NULL")
    op.create_table(
        "block",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("report_id", sa.String(32), sa.ForeignKey("abuse_report.id"), nullable=False),
        sa.Column("subject_id", sa.String(32), sa.ForeignKey("subject.id"), nullable=True),
        sa.Column("file_hash", sa.String(64), nullable=True),
        sa.Column("reason", sa.String(24), nullable=False),
        sa.Column("made_by", sa.String(24), nullable=False),
        _at("made_at"),
        _at("until"),
        _at("lifted_at", nullable=True),
        sa.Column("lifted_by", sa.String(24), nullable=True),
        sa.CheckConstraint("(subject_id IS NULL) <> (file_hash IS NULL)", name="ck_block_of_one_thing"),
    )
    op.create_index("ix_block_report_id", "block", ["report_id"])
    _partial("ix_block_subject_id", "block", ["subject_id"], "subject_id IS NOT NULL")
    _partial("ix_block_file_hash", "block", ["file_hash"], "file_hash IS NOT NULL")
    op.create_index("ix_block_until", "block", ["until"])


def _breaches() -> None:
    op.create_table(
        "breach",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("number", sa.String(12), nullable=False, unique=True),
        sa.Column("press_id", sa.String(64), nullable=True, unique=True),
        sa.Column("kind", sa.String(24), nullable=False),
        _at("noticed_at"),
        _at("noted_at"),
        sa.Column("noted_by", sa.String(24), nullable=False),
        _at("due_at"),
        sa.Column("exposure", sa.Text, nullable=False),
        _at("authority_told_at", nullable=True),
        _at("people_told_at", nullable=True),
        sa.Column("notice", sa.Text, nullable=True),
        _at("closed_at", nullable=True),
        sa.Column("outcome", sa.String(24), nullable=True),
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="ck_breach_closed_with_an_outcome"),
        sa.CheckConstraint("due_at >= noticed_at", name="ck_breach_due_after_noticed"),
    )
    _partial("ix_breach_due", "breach", ["due_at"], "closed_at IS NULL")
