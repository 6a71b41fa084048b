"""How many uploads to a third party may have left a copy stands in a column of its own, not in `failure`"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MARKERS = {"upload_sent": 1, "upload_sent_twice": 2}  # what `failure` said while an upload was under way


def upgrade() -> None:
    op.add_column("provider_task", sa.Column("uploads_in_doubt", sa.Integer, nullable=False, server_default="0"))
    task = sa.table("provider_task", sa.column("failure"), sa.column("uploads_in_doubt"))
    for marker, number in MARKERS.items():
        op.execute(task.update().where(task.c.failure == marker).values(failure=None, uploads_in_doubt=number))
