"""
PostgreSQL looks at the newest entry when one is added, not at the whole chain.

`EXISTS (… seq >= NEW.seq)` is planned once for any value, and for any value a third of the rows is expected to match:
so it reads the table from its beginning, each time, and never finds one. SQLite has no such plan.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APPENDED = """CREATE OR REPLACE FUNCTION {table}_insert() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE newest bigint;
    BEGIN
        SELECT seq INTO newest FROM {table} ORDER BY seq DESC LIMIT 1;
        IF newest >= NEW.seq THEN
            RAISE EXCEPTION '{table} can only be appended to';
        END IF;
        RETURN NEW;
    END $$"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ("audit_entry", "audit_checkpoint"):
            op.execute(APPENDED.format(table=table))
