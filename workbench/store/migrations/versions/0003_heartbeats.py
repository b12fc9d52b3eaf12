"""The days on which a server has run, and the row by which it shows that it can write."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of heartbeats."""
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("filler", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_heartbeats"),
    )
