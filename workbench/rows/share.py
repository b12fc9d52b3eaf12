"""What is said of links and of what they allow, and the list of those that have ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from workbench import local_times
from workbench.store import Link, Role
from workbench.store.rights import ROLES
from workbench.words import _, joined


def role(of: Role) -> str:
    """Return a role in a word or two."""
    return {"view": _("Look only"), "edit": _("Edit"), "facilitate": _("Facilitate")}[of]


def consequence(of: Role) -> str:
    """Say what it means to give a link away."""
    return {
        "view": _(
            "Whoever has this link can look at the plan and try everything without changing it; it can be forwarded."
        ),
        "edit": _("Whoever has this link can look at the plan and change it; it can be forwarded."),
        "facilitate": _(
            "Whoever has this link can change the plan, make and revoke links, and delete it; it can be forwarded."
        ),
    }[of]


def may(of: Role) -> str:
    """Say what the reader may do here."""
    return {
        "view": _("You may look at this plan and try everything: what you try stays on your screen."),
        "edit": _("You may change this plan; everybody who has it open sees your changes."),
        "facilitate": _("You may change this plan, make and revoke links, and delete it."),
    }[of]


def live(links: Sequence[Link], now: datetime) -> list[Link]:
    """Return the links that can be given away and still open the plan, the newest first."""
    return [link for link in reversed(links) if link.is_live(now) and not link.owner]


def ended(links: Sequence[Link], now: datetime) -> list[Link]:
    """Return the links that no longer open the plan, the newest first."""
    return [link for link in reversed(links) if not link.is_live(now)]


def answer(links: Sequence[Link], now: datetime) -> str:
    """Say how many links open the plan, what they allow, and how often they were used."""
    open_ones = live(links, now)
    if not open_ones:
        return _("Only you: no link opens this plan.")
    counts, visits = Counter(link.role for link in open_ones), sum(link.visits for link in open_ones)
    told = _("Whoever has one of {count} links: {roles}. {used}")
    if len(open_ones) == 1:
        told = _("Whoever has the one link: {roles}. {used}")
    used = _("Used {visits} times so far.").format(visits=visits) if visits else _("Not used yet.")
    roles = [_("{role} {count}").format(role=role(one), count=counts[one]) for one in ROLES if counts[one]]
    return told.format(count=len(open_ones), roles=joined(roles), used=used)


def about(link: Link) -> str:
    """Return a link in one line: until when, how often used, when last. Plain text."""
    until = _("no end") if link.expires_at is None else _("until {day}").format(day=_last_day(link))
    if not link.visits:
        return joined([until, _("not used yet")])
    used = _("used {visits} times, last on {day}").format(visits=link.visits, day=link.last_visit)
    return joined([until, used])


def ended_rows(links: Sequence[Link]) -> list[dict[str, str]]:
    """Return one row for each link that has ended."""
    return [
        {
            _("Link"): link.name or _("without a name"),
            _("Allowed"): role(link.role),
            _("Made"): local_times.day(link.created_at),
            _("Ended"): _("revoked {day}").format(day=local_times.day(link.revoked_at))
            if link.revoked_at
            else _("expired {day}").format(day=_last_day(link)),
            _("Used"): str(link.visits),
        }
        for link in links
    ]


def _last_day(link: Link) -> str:
    return local_times.last_day(link.expires_at) if link.expires_at else "–"
