"""The first tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("copy_id", sa.String(32), nullable=False),
        sa.Column("probed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("head", sa.String(24), nullable=False),
        sa.Column("listing", sa.String(24), nullable=False),
        sa.CheckConstraint("head = 'absent' AND listing = 'absent'", name="ck_evidence_is_a_negative_read"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("id", "copy_id", name="uq_evidence_copy"),
    )
    op.create_index("ix_evidence_copy_id", "evidence", ["copy_id"], unique=False)

    op.create_table(
        "job",
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("ref", sa.String(32), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("wishes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "ref"),
    )
    op.create_index("ix_job_ready", "job", ["kind", "run_at"], unique=False)

    op.create_table(
        "subject",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.Column("key_destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim_hash", sa.String(64), nullable=True),
        sa.Column("claim_issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_canary", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(sealed_key IS NULL) = (key_destroyed_at IS NOT NULL)", name="ck_subject_key_is_kept_or_destroyed"
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("claim_hash"),
    )
    op.create_table(
        "tick",
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind"),
    )
    op.create_table(
        "worker_beat",
        sa.Column("worker", sa.String(60), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("worker"),
    )
    op.create_table(
        "browser_session",
        sa.Column("session_hash", sa.String(64), nullable=False),
        sa.Column("subject_id", sa.String(32), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by_claim_code", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject_id"],
            ["subject.id"],
        ),
        sa.PrimaryKeyConstraint("session_hash", "subject_id"),
    )
    op.create_index("ix_browser_session_subject_id", "browser_session", ["subject_id"], unique=False)
    op.create_index(
        "uq_browser_session_opens_one",
        "browser_session",
        ["session_hash"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )

    op.create_table(
        "consent",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("subject_id", sa.String(32), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy_version", sa.String(40), nullable=False),
        sa.Column("may_use_photo", sa.Boolean(), nullable=False),
        sa.Column("is_adult", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject_id"],
            ["subject.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_consent_subject_id", "consent", ["subject_id"], unique=False)

    op.create_table(
        "copy",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("subject_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("place", sa.String(24), nullable=False),
        sa.Column("object_key", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(24), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erase_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erase_reason", sa.String(24), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.Column("probe_answer", sa.String(60), nullable=True),
        sa.Column("probe_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence_id", sa.String(32), nullable=True),
        sa.CheckConstraint("(gone_at IS NULL) = (evidence_id IS NULL)", name="ck_copy_gone_needs_evidence"),
        sa.CheckConstraint("gone_at IS NULL OR erased_at IS NOT NULL", name="ck_copy_gone_after_erased"),
        sa.ForeignKeyConstraint(["evidence_id", "id"], ["evidence.id", "evidence.copy_id"], name="fk_copy_evidence"),
        sa.ForeignKeyConstraint(
            ["subject_id"],
            ["subject.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("object_key"),
    )
    op.create_index(
        "ix_copy_due",
        "copy",
        ["erase_by"],
        unique=False,
        sqlite_where=sa.text("gone_at IS NULL"),
        postgresql_where=sa.text("gone_at IS NULL"),
    )
    op.create_index("ix_copy_subject_id", "copy", ["subject_id"], unique=False)

    op.create_table(
        "generation",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("number", sa.String(12), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("subject_id", sa.String(32), nullable=False),
        sa.Column("portrait_id", sa.String(32), nullable=False),
        sa.Column("clothing_id", sa.String(32), nullable=True),
        sa.Column("backdrop_id", sa.String(32), nullable=True),
        sa.Column("engine", sa.String(24), nullable=False),
        sa.Column("purpose", sa.String(24), nullable=False),
        sa.Column("ratio", sa.String(8), nullable=False),
        sa.Column("long_side", sa.Integer(), nullable=False),
        sa.Column("style", sa.String(24), nullable=False),
        sa.Column("backdrop", sa.String(24), nullable=False),
        sa.Column("variants", sa.Integer(), nullable=False),
        sa.Column("zoom", sa.Float(), nullable=False),
        sa.Column("turns", sa.Integer(), nullable=True),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=True),
        sa.Column("contract", sa.String(24), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erase_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("failure", sa.String(40), nullable=True),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("favourite_id", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(
            ["backdrop_id"],
            ["copy.id"],
        ),
        sa.ForeignKeyConstraint(
            ["clothing_id"],
            ["copy.id"],
        ),
        sa.ForeignKeyConstraint(
            ["portrait_id"],
            ["copy.id"],
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"],
            ["subject.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("request_id"),
    )
    op.create_index("ix_generation_portrait_id", "generation", ["portrait_id"], unique=False)
    op.create_index("ix_generation_state", "generation", ["state"], unique=False)
    op.create_index("ix_generation_subject", "generation", ["subject_id", "created_at"], unique=False)

    op.create_table(
        "headshot",
        sa.Column("generation_id", sa.String(32), nullable=False),
        sa.Column("variant", sa.Integer(), nullable=False),
        sa.Column("copy_id", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["copy_id"],
            ["copy.id"],
        ),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generation.id"],
        ),
        sa.PrimaryKeyConstraint("generation_id", "variant"),
        sa.UniqueConstraint("copy_id"),
    )
    op.create_table(
        "stage_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("generation_id", sa.String(32), nullable=False),
        sa.Column("stage", sa.String(24), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_stage_event_generation_id", "stage_event", ["generation_id"], unique=False)
