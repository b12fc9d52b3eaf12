"""Decides whose `X-Forwarded-*` headers count, however the proxy's address is written.

Uvicorn compares the address a connection comes from with `FORWARDED_ALLOW_IPS` without folding it: behind a proxy of
the same machine, on the address `::`, it would believe none of its headers. So its list is replaced by one that folds
both sides.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from uvicorn.middleware import proxy_headers

from workbench import addresses, logs

_in_force: list[str] = []
_told: set[str] = set()


class Trusted(proxy_headers._TrustedHosts):  # noqa: SLF001 - uvicorn has no other way, and its version is fixed
    """The addresses and networks of trusted proxies: uvicorn's list, both sides folded."""

    def __init__(self, trusted_hosts: Sequence[str] | str) -> None:
        names = trusted_hosts.split(",") if isinstance(trusted_hosts, str) else trusted_hosts
        super().__init__([_folded(name.strip()) for name in names])

    def _compute_trust(self, host: str) -> bool:
        return super()._compute_trust(addresses.folded(host))


def begin() -> None:
    """Have uvicorn ask `Trusted` from now on: called while the app is imported, before its server is put together."""
    proxy_headers._TrustedHosts = _noted  # type: ignore[assignment,misc]  # noqa: SLF001


def in_force() -> str:
    """Return the addresses whose headers count in this server; empty if none do."""
    return ",".join(_in_force)


def check(scope: Mapping[str, Any]) -> None:
    """Log, once, that a proxy says https and is not believed: cookies then travel as if there were none."""
    says = next((value for name, value in scope["headers"] if name == b"x-forwarded-proto"), b"")
    if says.strip() != b"https" or scope.get("scheme") == "https" or _told:
        return
    _told.add("proxy_not_trusted")
    host = str((scope.get("client") or ("",))[0])
    where = host if addresses.is_inside(host) else "outside"  # a visitor's own address is not logged
    logs.tell(
        "proxy_not_trusted",
        level=logging.WARNING,
        address=where,
        trusted_proxies=in_force(),
        say="A proxy says that visitors come by https, and is not trusted: put its address into FORWARDED_ALLOW_IPS.",
    )


def _folded(name: str) -> str:
    return addresses.folded_network(name) if "/" in name else addresses.folded(name)


def _noted(trusted_hosts: list[str] | str) -> Trusted:
    _in_force[:] = [trusted_hosts] if isinstance(trusted_hosts, str) else trusted_hosts
    return Trusted(trusted_hosts)
