"""Where phones in the room reach the server: found without sending anything, and said as it is."""

import ipaddress
import re
import socket
import subprocess
from pathlib import Path

import pytest
from streamlit import config

from tests.visits import ME, app_store, kept, said, visit
from workbench import network_addresses, new_link, startup, words
from workbench.store import Actor

OWN = "http://localhost:8501"
LAN = ["192.168.1.20", "10.0.0.7", "fd12::7"]


@pytest.fixture
def store(tmp_path):
    with app_store(tmp_path) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _room(monkeypatch):
    """A machine in two networks, with what a machine has besides: loopback, and addresses good on one cable only."""
    monkeypatch.delenv("GYAKUSAN_HOSTED", raising=False)
    routes = {socket.AF_INET: ["192.168.1.20"], socket.AF_INET6: ["fd12::7"]}
    monkeypatch.setattr(network_addresses, "_by_route", routes.__getitem__)
    interfaces = ["127.0.0.1", "192.168.1.20", "10.0.0.7", "169.254.3.4", "fe80::1%eth0", "::1"]
    monkeypatch.setattr(network_addresses, "_by_interface", lambda: interfaces)


def listen_on(monkeypatch, address):
    monkeypatch.setattr(startup, "listens_on", lambda: address)


@pytest.mark.parametrize(
    ("address", "hosts"),
    [
        ("", ["192.168.1.20", "10.0.0.7", "[fd12::7]"]),
        ("::", ["192.168.1.20", "10.0.0.7", "[fd12::7]"]),
        ("0.0.0.0", ["192.168.1.20", "10.0.0.7"]),
        ("10.0.0.7", ["10.0.0.7"]),
        ("fd12::7", ["[fd12::7]"]),
        ("127.0.0.1", []),
        ("::1", []),
        ("localhost", []),
        ("no.such.name", []),
    ],
)
def test_only_addresses_at_which_the_server_answers_are_offered(monkeypatch, address, hosts):
    listen_on(monkeypatch, address)

    assert network_addresses.origins(OWN) == [f"http://{host}:8501" for host in hosts]


def test_the_port_and_the_scheme_are_those_of_the_page(monkeypatch):
    listen_on(monkeypatch, "0.0.0.0")

    assert network_addresses.origins("https://localhost") == ["https://192.168.1.20", "https://10.0.0.7"]
    assert network_addresses.origins("") == []


def test_in_a_container_nobody_is_sent_to_its_inner_network(monkeypatch):
    monkeypatch.setenv("GYAKUSAN_HOSTED", "1")
    listen_on(monkeypatch, "0.0.0.0")

    assert network_addresses.origins(OWN) == []


def test_this_machines_addresses_are_real_and_nothing_is_sent_to_find_them(monkeypatch):
    """Held against the kernel: a socket can be bound to each, and to no address that the machine has not."""
    monkeypatch.undo()
    sent = []
    for name in ("send", "sendto", "sendmsg", "sendall"):
        monkeypatch.setattr(socket.socket, name, lambda *_args, name=name: sent.append(name), raising=False)
    for name in ("getaddrinfo", "gethostbyname", "gethostbyaddr"):
        monkeypatch.setattr(socket, name, lambda *_args, name=name: sent.append(name))

    found = network_addresses.of_this_machine()

    assert not sent
    assert len(found) == len(set(found))
    for one in found:
        assert not one.is_loopback
        family = socket.AF_INET if one.version == 4 else socket.AF_INET6
        with socket.socket(family, socket.SOCK_STREAM) as free:
            free.bind((str(one), 0))
    listed = Path("/proc/net/fib_trie")
    if listed.exists():  # Linux: all IPv4 addresses of this machine
        own = set(re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", listed.read_text("utf-8")))
        wanted = {ipaddress.ip_address(text) for text in own if not text.startswith(("127.", "169.254."))}
        assert {one for one in found if one.version == 4} == wanted


def test_a_machine_without_a_network_has_none(monkeypatch):
    monkeypatch.setattr(network_addresses, "_by_route", lambda _family: [])
    monkeypatch.setattr(network_addresses, "_by_interface", lambda: ["127.0.0.1"])
    listen_on(monkeypatch, "")

    assert network_addresses.of_this_machine() == []
    assert network_addresses.origins(OWN) == []


def made(store, monkeypatch, address, language="en"):
    """Return the page on which a link was made at localhost, and where its plan is kept."""
    listen_on(monkeypatch, address)
    plan_id = kept(store)
    app = visit(store, plan_id, language=language)
    app.context = {"url": f"{OWN}/share", "timezone": "Asia/Tokyo"}
    app.button(key="share_make").click().run()
    assert not app.exception
    return app


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_link_has_the_machines_address_in_the_network_and_its_code_too(store, monkeypatch, language):
    drawn, draw = [], new_link.code
    monkeypatch.setattr(new_link, "code", lambda text: drawn.append(text) or draw(text))
    with words.speaking(language):
        app = made(store, monkeypatch, "", language)
        box = app.selectbox(key="share_origin")

        assert box.value == "http://192.168.1.20:8501"
        assert app.code[0].value.startswith("http://192.168.1.20:8501/open#")
        assert drawn[-1] == app.code[0].value
        assert box.options[:2] == ["http://192.168.1.20:8501", "http://10.0.0.7:8501"]
        box.select("http://10.0.0.7:8501").run()
        assert app.code[0].value.startswith("http://10.0.0.7:8501/open#")
        assert drawn[-1] == app.code[0].value
        box = app.selectbox(key="share_origin")
        box.select(OWN).run()
        assert app.code[0].value.startswith(f"{OWN}/open#")


def test_a_server_that_listens_here_only_says_how_to_start_it_for_phones(store, monkeypatch):
    app = made(store, monkeypatch, "127.0.0.1")

    assert app.code[0].value.startswith(f"{OWN}/open#")
    assert not [box for box in app.selectbox if box.key == "share_origin"]
    assert "For phones in the room, stop the server and start it with:" in said(app)
    assert app.code[1].value == "streamlit run app.py --server.address 0.0.0.0"


def test_where_no_address_is_known_the_link_is_not_said_to_open_elsewhere(store, monkeypatch):
    monkeypatch.setenv("GYAKUSAN_HOSTED", "1")

    app = made(store, monkeypatch, "0.0.0.0")

    assert "so the link opens nowhere else. Open this page by the address that others use" in said(app)


def test_a_page_opened_by_the_networks_address_makes_its_links_with_it(store, monkeypatch):
    listen_on(monkeypatch, "")
    app = visit(store, kept(store))

    app.button(key="share_make").click().run()

    assert app.code[0].value.startswith("https://plans.example.test/open#")
    assert not [box for box in app.selectbox if box.key == "share_origin"]
    assert len(store.links(Actor.of(ME), app.session_state["visit"]["session_desk"].keeper.plan_id)) == 2


def test_the_server_listens_everywhere_unless_it_is_told_otherwise(monkeypatch):
    """As Streamlit reads its option, and as `make run` starts it: it sets none."""
    monkeypatch.setattr("sys.argv", ["streamlit", "run", "app.py"])
    assert config.get_option("server.address") is None

    assert network_addresses.listens_beyond()


def test_make_run_prints_an_address_that_opens_where_localhost_hangs():
    folder = Path(__file__).parents[2]

    printed = subprocess.run(
        ["make", "--dry-run", "--old-file=.venv/app", "run", "PORT=9000"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert "http://localhost:9000" in printed
    assert "http://127.0.0.1:9000" in printed
