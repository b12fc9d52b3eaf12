"""Alembic's entry: runs on the connection and in the transaction that `migrating` hands over."""

from __future__ import annotations

from alembic import context

from workbench.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
