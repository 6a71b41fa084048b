"""What was measured of each promise, how often it held, and every text of the policy"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "promise_check",
        sa.Column("promise", sa.String(40), primary_key=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("figure", sa.String(200), nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        _at("checked_at"),
        sa.Column("took_ms", sa.Integer, nullable=False),
        _at("since"),
        _at("broken_at", nullable=True),
        sa.Column("told", sa.String(24), nullable=True),
        _at("told_at", nullable=True),
    )
    op.create_table(
        "promise_day",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("promise", sa.String(40), primary_key=True),
        sa.Column("state", sa.String(24), primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
    )
    op.create_table(
        "policy_version",
        sa.Column("version", sa.String(40), primary_key=True),
        _at("noted_at"),
        _at("effective_at"),
        sa.Column("loosens", sa.Boolean, nullable=False),
        sa.Column("numbers", sa.Text, nullable=False),
        sa.Column("texts", sa.Text, nullable=False),
    )
    op.create_index("ix_policy_version_effective_at", "policy_version", ["effective_at"])
