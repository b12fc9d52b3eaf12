"""Compares network addresses by what they stand for, not by how they are written.

A server that listens on `::` sees whoever comes by IPv4 under an IPv4-mapped address: `::ffff:127.0.0.1` is 127.0.0.1.
Everything that compares, counts or logs an address folds it first.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

_LONGEST = 64  # characters that are kept of what is no address
_MAPPED = 96  # bits before the IPv4 address in a mapped one


def folded(host: str) -> str:
    """Return an address in its shortest spelling, a mapped one as IPv4; what is no address as it is."""
    found = _address(host)
    return host if found is None else str(found)


def folded_network(network: str) -> str:
    """Return a network such as `10.0.0.0/8` in the same way; what is no network as it is."""
    try:
        found = ipaddress.ip_network(network)
    except ValueError:
        return network
    mapped = getattr(found.network_address, "ipv4_mapped", None)
    return f"{mapped}/{found.prefixlen - _MAPPED}" if mapped and found.prefixlen >= _MAPPED else str(found)


@lru_cache(maxsize=1_000)
def neighbourhood(host: str) -> str:
    """Return what one person holds: an IPv4 address, or the /64 of an IPv6 one, of which they have 2^64."""
    found = _address(host)
    if found is None:
        return host[:_LONGEST]
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))


def is_own(host: str) -> bool:
    """Return whether only this machine can be reached, or reach us, at an address."""
    found = _address(host)
    return host == "localhost" if found is None else found.is_loopback


def is_inside(host: str) -> bool:
    """Return whether an address is of this machine or of a private network."""
    found = _address(host)
    return found is not None and found.is_private


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found
