"""The one layer the app calls: every function takes who asks, and checks before it does anything.

    store, actor = Store.at(), Actor.of(cookie)
    kept = store.begin(actor, plan, key=new_key())
    outcome = store.save(actor, kept.plan_id, kept.number, changed, key=new_key())

An error of the database leaves nothing half done: the same call with the same key may be sent again.
"""

from __future__ import annotations

import secrets

from workbench.store.engine import connect
from workbench.store.sharing import Sharing
from workbench.store.versions import Versions


class Store(Versions, Sharing):
    """Plans, versions, links and desks for whoever may have them."""

    @classmethod
    def at(cls, url: str | None = None) -> Store:
        """Return the store at a URL, else where the environment says; nothing is opened yet."""
        return cls(connect(url))


def new_key() -> str:
    """Return a name for one attempt to save. Whoever tries again after an error sends the same one."""
    return secrets.token_urlsafe(16)
