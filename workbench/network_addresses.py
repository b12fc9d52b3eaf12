"""Find the addresses under which other devices in the same network reach this server; nothing is sent to find them.

A socket that is only connected, not written to, sends no packet, but has the address of the interface by which it
would leave. The other interfaces are asked for theirs one by one.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
from urllib.parse import urlsplit

from workbench import addresses, startup

_EVERYWHERE = ("", "0.0.0.0", "::")
# Nobody has these: they are for documentation (RFC 5737, RFC 3849).
_AWAY = {socket.AF_INET: ("192.0.2.1", 9), socket.AF_INET6: ("2001:db8::1", 9)}
_SIOCGIFADDR = 0x8915  # Linux: ask an interface for its IPv4 address

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_own(origin: str) -> bool:
    """Return whether a page's address is one of this computer only, as http://localhost:8501 is."""
    return addresses.is_own(urlsplit(origin).hostname or "")


def listens_beyond() -> bool:
    """Return whether devices in the network reach this server without anything in between."""
    return os.environ.get("GYAKUSAN_HOSTED") != "1" and not addresses.is_own(startup.listens_on())


def origins(origin: str) -> list[str]:
    """Return the addresses that open this page on other devices in the network, the likeliest first.

    `origin` is the page's address on this computer, whose scheme and port they share.

    >>> origins("")
    []
    """
    parts = urlsplit(origin)
    if not parts.hostname or not listens_beyond():
        return []
    port = "" if parts.port is None else f":{parts.port}"
    hosts = [f"[{one}]" if one.version == 6 else str(one) for one in _listened_on()]
    return [f"{parts.scheme}://{host}{port}" for host in hosts]


def _listened_on() -> list[Address]:
    """Return the machine's addresses at which the server answers."""
    address = startup.listens_on()
    if address not in _EVERYWHERE:
        return [one for one in [_read(address)] if one is not None]
    return [one for one in of_this_machine() if one.version == 4 or address != "0.0.0.0"]


def of_this_machine() -> list[Address]:
    """Return the machine's addresses in its networks: that of the way out first, IPv4 before IPv6.

    Left out are those that mean something to this machine alone: loopback, and what is good on one cable only.
    """
    said = [*_by_route(socket.AF_INET), *_by_interface(), *_by_route(socket.AF_INET6)]
    known = [one for text in dict.fromkeys(said) if (one := _read(text)) is not None]
    return [one for one in known if not (one.is_loopback or one.is_link_local or one.is_unspecified)]


def _by_route(family: socket.AddressFamily) -> list[str]:
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as way_out:
        way_out.connect(_AWAY[family])
        return [str(way_out.getsockname()[0])]
    return []


def _by_interface() -> list[str]:
    """Return the IPv4 address of each interface; on Windows, which cannot be asked so, of the computer's own name."""
    if os.name == "nt":
        with contextlib.suppress(OSError):
            return socket.gethostbyname_ex(socket.gethostname())[2]
        return []
    with contextlib.suppress(ImportError, OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        return [text for _at, name in socket.if_nameindex() for text in _of_interface(asked, name)]
    return []


def _of_interface(asked: socket.socket, name: str) -> list[str]:
    import fcntl  # Windows has none

    with contextlib.suppress(OSError):  # an interface that is down has no address
        answer = fcntl.ioctl(asked.fileno(), _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
        return [socket.inet_ntoa(answer[20:24])]
    return []


def _read(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
