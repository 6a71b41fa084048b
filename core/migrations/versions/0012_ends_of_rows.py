"""What leads to a copy or a run is found by it: else each of them that goes has whole tables looked through"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SOME = (("request", "export_id"), ("abuse_report", "copy_id"), ("abuse_report", "generation_id"))
ALL = (("hand_over_link", "copy_id"), ("glass_view", "copy_id"))


def upgrade() -> None:
    for table, column in SOME:
        filled = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_{table}_{column}", table, [column], sqlite_where=filled, postgresql_where=filled)
    for table, column in ALL:
        op.create_index(f"ix_{table}_{column}", table, [column])
