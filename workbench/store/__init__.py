"""Where plans are kept: revisions that are never overwritten, links that can be revoked, desks of browsers."""

from workbench.store.links import Link
from workbench.store.plans import Listed
from workbench.store.revisions import Kept, Version
from workbench.store.rights import Action, Actor, Role
from workbench.store.saving import Clashing
from workbench.store.service import Store, new_key
from workbench.store.versions import Standing

__all__ = [
    "Action",
    "Actor",
    "Clashing",
    "Kept",
    "Link",
    "Listed",
    "Role",
    "Standing",
    "Store",
    "Version",
    "new_key",
]
