"""One way to write an address: whatever is compared is compared folded."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import addresses, proxies

V4, V6 = st.ip_addresses(v=4), st.ip_addresses(v=6)


@given(V4)
def test_a_mapped_address_is_the_address_it_stands_for(address: ipaddress.IPv4Address):
    ways = {f"::ffff:{address}", f"::FFFF:{address}", f"0:0:0:0:0:ffff:{address}", str(address)}

    assert {addresses.folded(way) for way in ways} == {str(address)}
    assert {addresses.neighbourhood(way) for way in ways} == {str(address)}
    assert {addresses.is_own(way) for way in ways} == {address.is_loopback}


@given(V6.filter(lambda address: address.ipv4_mapped is None))
def test_any_other_address_stays_itself_however_it_is_written(address: ipaddress.IPv6Address):
    ways = {str(address), address.exploded, str(address).upper(), f"{address}%eth0"}

    assert {addresses.folded(way) for way in ways} == {str(address)}
    assert ipaddress.ip_address(addresses.folded(address.exploded)) == address


@given(V6, st.integers(min_value=0, max_value=2**64 - 1))
def test_who_holds_one_address_of_ipv6_holds_all_of_its_64(address: ipaddress.IPv6Address, low: int):
    beside = ipaddress.IPv6Address(int(address) >> 64 << 64 | low)
    alike = addresses.neighbourhood(str(address)) == addresses.neighbourhood(str(beside))

    assert alike or address.ipv4_mapped or beside.ipv4_mapped


@pytest.mark.parametrize("text", ["", "unix:", "plan.example.com", "300.1.1.1", "x" * 500])
def test_what_is_no_address_stays_as_it_is_and_is_nobodys_own(text: str):
    assert addresses.folded(text) == text
    assert len(addresses.neighbourhood(text)) <= 64
    assert not addresses.is_own(text)


@pytest.mark.parametrize(
    ("trusted", "trusts", "others"),
    [
        ("127.0.0.1", ("127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1"), ("127.0.0.2", "::1", "::ffff:10.0.0.1")),
        ("::ffff:10.0.0.1", ("10.0.0.1", "::ffff:10.0.0.1"), ("10.0.0.2", "::ffff:10.0.0.2")),
        ("10.0.0.0/8, ::1", ("10.1.2.3", "::ffff:10.1.2.3", "::1"), ("11.0.0.1", "::ffff:11.0.0.1")),
        ("::ffff:10.0.0.0/104", ("10.1.2.3", "::ffff:10.1.2.3"), ("11.0.0.1", "::2")),
        ("::/0", ("2001:db8::1",), ("10.0.0.1",)),
        ("*", ("10.0.0.1", "2001:db8::1"), ()),
        ("", (), ("127.0.0.1", "::1", "")),
    ],
)
def test_a_proxy_is_trusted_by_either_way_to_write_it(trusted: str, trusts: tuple[str, ...], others: tuple[str, ...]):
    folding = proxies.Trusted(trusted)

    assert [address for address in trusts if address not in folding] == []
    assert [address for address in others if address in folding] == []
