"""What the retention page asks for, fast at any size: what goes when, what storage would not show, the oldest copy"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEPT = "gone_at IS NULL"
ASKED = "gone_at IS NULL AND probe_answer IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "forecast",
        sa.Column("name", sa.String(24), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("cells", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    _partial_index("ix_copy_kept", "copy", "created_at", KEPT)
    _partial_index("ix_copy_asked", "copy", "erase_by", ASKED)
    for upload in ("clothing", "backdrop"):
        _partial_index(f"ix_generation_{upload}", "generation", f"{upload}_id", f"{upload}_id IS NOT NULL")


def _partial_index(name: str, table: str, column: str, where: str) -> None:
    op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
