"""A finding is there once for each event of a provider."""
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.create_table(
        "reconciliation_findings",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("run_id", sa.Text, sa.ForeignKey("reconciliation_runs.id"), nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("provider_event_id", sa.Text, nullable=False),
        sa.Column("finding_type", sa.Text, nullable=False),
        sa.UniqueConstraint("provider", "provider_event_id", "finding_type"),
    )


def downgrade():
    op.drop_table("reconciliation_findings")
