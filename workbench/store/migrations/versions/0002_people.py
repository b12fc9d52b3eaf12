"""Links, who came by them, and what each browser keeps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables of links, grants, visits and desks."""
    op.create_table(
        "links",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("plan_id", sa.String(32), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner", sa.Boolean, nullable=False),
        sa.Column("issued_by", sa.String(32)),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("expires_at", sa.String(27)),
        sa.Column("revoked_at", sa.String(27)),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sa.UniqueConstraint("token_hash", name="uq_links_token_hash"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_links_plan_id", ondelete="CASCADE"),
    )
    op.create_index("ix_links_plan_id", "links", ["plan_id"])
    op.create_table(
        "grants",
        sa.Column("visitor", sa.String(64), nullable=False),
        sa.Column("link_id", sa.String(32), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("visitor", "link_id", name="pk_grants"),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_grants_link_id", ondelete="CASCADE"),
    )
    op.create_index("ix_grants_link_id", "grants", ["link_id"])
    op.create_table(
        "visits",
        sa.Column("link_id", sa.String(32), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("link_id", "day", name="pk_visits"),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_visits_link_id", ondelete="CASCADE"),
    )
    op.create_table(
        "desks",
        sa.Column("visitor", sa.String(64), nullable=False),
        sa.Column("plan_id", sa.String(32), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("visitor", "plan_id", name="pk_desks"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_desks_plan_id", ondelete="CASCADE"),
    )
    op.create_index("ix_desks_plan_id", "desks", ["plan_id"])
