"""Providers: what was asked of a third party, what lies there, how it answers and what it charges."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _at(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    op.add_column("headshot", sa.Column("shift", sa.Float, nullable=True))
    op.add_column("generation", sa.Column("free_try_of", sa.String(32), nullable=True))
    op.create_index("uq_generation_free_try_of", "generation", ["free_try_of"], unique=True)
    op.create_table(
        "provider_task",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("generation_id", sa.String(32), sa.ForeignKey("generation.id"), nullable=False),
        sa.Column("variant", sa.Integer, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("template", sa.String(16), nullable=False),
        sa.Column("hand_over", sa.String(12), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("body_hash", sa.String(64)),
        _at("planned_at", nullable=False),
        _at("sent_at"),
        _at("taken_at"),
        _at("made_at"),
        _at("ended_at"),
        _at("again_at"),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("task_id", sa.String(200)),
        sa.Column("request_ref", sa.String(80)),
        sa.Column("cost", sa.BigInteger),
        sa.Column("failure", sa.String(40)),
        sa.UniqueConstraint("generation_id", "variant", name="uq_provider_task_variant"),
        sa.CheckConstraint(
            "state NOT IN ('intent', 'taken', 'made', 'kept', 'unknown') OR sent_at IS NOT NULL",
            name="ck_provider_task_sent",
        ),
    )
    _partial("ix_provider_task_under_way", "provider_task", ["provider", "state"], "ended_at IS NULL")
    _partial("ix_provider_task_sent", "provider_task", ["provider", "sent_at"], "sent_at IS NOT NULL")
    op.create_table(
        "hand_over_link",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("task_id", sa.String(40), sa.ForeignKey("provider_task.id"), nullable=False, index=True),
        sa.Column("copy_id", sa.String(32), sa.ForeignKey("copy.id"), nullable=False),
        _at("made_at", nullable=False),
        _at("expires_at", nullable=False),
        _at("served_at"),
        _at("closed_at"),
    )
    op.create_table(
        "provider_copy",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("subject_id", sa.String(32), sa.ForeignKey("subject.id"), nullable=False, index=True),
        sa.Column("generation_id", sa.String(32), sa.ForeignKey("generation.id"), nullable=False, index=True),
        sa.Column("task_id", sa.String(40), sa.ForeignKey("provider_task.id"), nullable=False, index=True),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("mark", sa.String(64), nullable=False, unique=True),
        _at("noted_at", nullable=False),
        _at("expires_at", nullable=False),
        sa.Column("dated_by", sa.String(12), nullable=False),
        _at("probe_at", nullable=False),
        sa.Column("probes", sa.Integer, nullable=False),
        sa.Column("answer", sa.String(24)),
        _at("answered_at"),
        _at("open_at"),
        _at("refused_at"),
        _at("gone_at"),
        sa.Column("sealed_key", sa.LargeBinary),
        sa.Column("sealed_url", sa.LargeBinary),
        sa.Column("copy_id", sa.String(32)),
        sa.CheckConstraint("gone_at IS NULL OR refused_at IS NOT NULL", name="ck_provider_copy_refused_twice"),
        sa.CheckConstraint("gone_at IS NULL OR sealed_key IS NULL", name="ck_provider_copy_gone_is_scrubbed"),
    )
    _partial("ix_provider_copy_probe", "provider_copy", ["probe_at"], "gone_at IS NULL")
    op.create_table(
        "provider_health",
        sa.Column("provider", sa.String(24), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failure", sa.String(40)),
        _at("closed_until"),
        sa.Column("balance", sa.BigInteger),
        _at("balance_at"),
    )
    op.create_table(
        "spending",
        _at("day", nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("charged", sa.BigInteger, nullable=False),
        sa.Column("headshots", sa.Integer, nullable=False),
        sa.Column("possible", sa.BigInteger, nullable=False),
        sa.Column("doubtful", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("day", "provider", "model"),
    )
