"""Alerts of everything that has a clock: not of requests alone, so no foreign key leads to them"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.rename_table("alert", "alert_of_request")
    op.create_table(
        "alert",
        sa.Column("ref", sa.String(32), nullable=False),
        sa.Column("threshold", sa.String(12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("again_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("ref", "threshold"),
    )
    op.execute(
        "INSERT INTO alert (ref, threshold, at, sent_at, tries, again_at) "
        "SELECT request_id, threshold, at, sent_at, tries, again_at FROM alert_of_request"
    )
    op.drop_table("alert_of_request")
