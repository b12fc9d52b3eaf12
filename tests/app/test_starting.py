"""A server that others can reach starts only with the options that keep a plan private: seen in real processes."""

import json
import sys
import time
import urllib.error
import urllib.request

import pytest
from streamlit import config

from tests.hosting import ROOT, copy, fails, served, streamlit, uvicorn
from tests.serving import BUSY_SECONDS
from workbench import browsers, startup

SECRET = "Zb7q-a-plan-nobody-may-read"
HOSTED = {"GYAKUSAN_HOSTED": "1"}


def events(text):
    """Return what was logged: every line must be JSON."""
    return [json.loads(line) for line in text.splitlines()]


def said(text):
    return next(event["say"] for event in events(text) if "say" in event)


def test_the_variable_that_seems_to_switch_telemetry_off_does_not_so_the_server_refuses(tmp_path):
    """Under uvicorn Streamlit ignores the environment; without the options file telemetry would be on."""
    bare = copy(tmp_path, without=".streamlit")
    misleading = {"STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false", "STREAMLIT_CLIENT_SHOW_ERROR_DETAILS": "none"}

    code, told = fails(uvicorn("--host", "0.0.0.0"), folder=bare, environment=misleading)

    assert code
    assert said(told).startswith("Gyakusan does not start where others can reach it: browser.gatherUsageStats is true")
    assert 'client.showErrorDetails is "full" and must be "none"' in said(told)
    assert "server.maxUploadSize is 200 and must be at most 20" in said(told)
    assert "Traceback (" not in told


def test_the_variable_that_seems_to_switch_telemetry_on_does_not_either(tmp_path):
    misleading = {**HOSTED, "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "true"}

    with served(uvicorn(), tmp_path / "log", environment=misleading):
        pass

    assert {"event": "started", "hosted": True}.items() <= events((tmp_path / "log").read_text())[2].items()


def test_under_streamlits_own_command_flags_and_variables_count_so_they_are_refused():
    flag = "--browser.gatherUsageStats=true"

    code, told = fails(streamlit(flag, "--server.port=0"), environment=HOSTED)
    assert code
    assert "browser.gatherUsageStats is true and must be false" in said(told)

    switched = {"STREAMLIT_SERVER_ENABLE_AGENT_API": "true"}
    code, told = fails(streamlit("--server.address=0.0.0.0", "--server.port=0"), environment=switched)
    assert code
    assert "server.enableAgentApi is true and must be false" in said(told)


def test_on_ones_own_machine_it_is_a_warning(tmp_path):
    log = tmp_path / "log"

    with served(streamlit("--server.address=127.0.0.1", "--server.enableXsrfProtection=false"), log):
        pass

    assert "server.enableXsrfProtection is false and must be true" in said(log.read_text())
    assert "would not start" in said(log.read_text())


def test_routes_and_log_of_a_running_server(tmp_path):
    """What a proxy it trusts says counts; what is the operator's is closed; no address is in the log."""
    log = tmp_path / "log"
    session = "7d1c7cd6-86b0-4b1c-9a0c-0123456789ab"

    with served(uvicorn("--forwarded-allow-ips=127.0.0.1"), log) as address:
        ready_at = time.monotonic() + BUSY_SECONDS
        while answer(f"{address}/readyz")[0] != 200 and time.monotonic() < ready_at:
            time.sleep(0.1)
        status = {path: answer(address + path)[0] for path in ("/healthz", "/readyz", "/robots.txt")}
        closed = {
            path: answer(address + path)
            for path in ("/_stcore/metrics", "/_stcore/metrics/", "/_stcore/./metrics", "/_stcore/%6detrics")
        }
        over_https = answer(address, {"X-Forwarded-Proto": "https"})[1]
        answer(f"{address}/_stcore/upload_file/{session}/{session}?token={SECRET}")
        answer(f"{address}/?token={SECRET}")

    assert status == {"/healthz": 200, "/readyz": 200, "/robots.txt": 200}
    assert not [path for path, found in closed.items() if b"# TYPE" in found[2]]
    assert closed["/_stcore/metrics"][0] == 404
    assert over_https["strict-transport-security"]
    assert "Secure" in over_https["set-cookie"]
    assert SECRET not in log.read_text()
    assert session not in log.read_text()
    assert {"/healthz", "/", "/_stcore/upload_file/..."} <= {event.get("path") for event in events(log.read_text())}


def test_a_host_that_shows_apps_in_its_own_frame_can_say_so_in_its_secrets(tmp_path):
    """Where there is no other place for variables, Streamlit makes them of its secrets."""
    folder = copy(tmp_path, without=".streamlit")
    (folder / ".streamlit").mkdir()
    options = (ROOT / ".streamlit/config.toml").read_text(encoding="utf-8")
    (folder / ".streamlit/config.toml").write_text(options, encoding="utf-8")
    (folder / ".streamlit/secrets.toml").write_text('GYAKUSAN_FRAMED = "1"\n')

    with served(streamlit("--server.address=127.0.0.1"), tmp_path / "log", folder=folder) as address:
        policy = answer(address)[1]["content-security-policy"]

    assert policy.endswith("frame-ancestors 'self'")


def test_a_proxy_that_is_not_trusted_cannot_say_it_was_https(tmp_path):
    with served(uvicorn("--forwarded-allow-ips=10.9.9.9", "--no-access-log"), tmp_path / "log") as address:
        headers = answer(address, {"X-Forwarded-Proto": "https"})[1]

    assert "strict-transport-security" not in headers
    assert not [event for event in events((tmp_path / "log").read_text()) if event["event"] == "request"]


@pytest.mark.parametrize(
    ("trusted", "counts"), [(None, True), ("127.0.0.1", True), ("::ffff:127.0.0.0/104", True), ("10.9.9.9", False)]
)
def test_on_the_default_address_a_proxy_of_the_same_machine_counts_as_it_does_on_127_0_0_1(tmp_path, trusted, counts):
    """Streamlit's own command listens on `::`, where whoever comes from 127.0.0.1 is `::ffff:127.0.0.1`."""
    log = tmp_path / "log"
    place = {**HOSTED, "GYAKUSAN_DATA": str(tmp_path), **({"FORWARDED_ALLOW_IPS": trusted} if trusted else {})}
    with served(streamlit(), log, environment=place) as address:
        headers = answer(address, {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.1"})[1]
        guessed = [entered(address, "203.0.113.7") for _ in range(11)]
        beside = entered(address, "203.0.113.8")

    assert ("strict-transport-security" in headers) is counts
    assert ("__Host-gyakusan_browser=" in headers["set-cookie"]) is counts
    assert ("Secure" in headers["set-cookie"]) is counts
    assert guessed == [404] * 10 + [429]
    assert beside == (404 if counts else 429)
    started = next(event for event in events(log.read_text()) if event["event"] == "started")
    assert started["trusted_proxies"] == (trusted or "127.0.0.1,::1")
    assert ("proxy_not_trusted" in {event["event"] for event in events(log.read_text())}) is not counts


def entered(address, visitor):
    """Try a link nobody has, as a visitor behind a proxy, and return the status."""
    headers = {
        "X-Forwarded-For": visitor,
        "Cookie": f"{browsers.COOKIE}={'m' * 43}",
        "Content-Type": "application/json",
    }
    return answer(f"{address}/enter", headers, json.dumps({"token": "t" * 43}).encode())[0]


def answer(url, headers=None, body=None):
    try:
        request = urllib.request.Request(url, headers=headers or {}, data=body)
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("browser.gatherUsageStats", True),
        ("client.showErrorDetails", "type"),
        ("global.developmentMode", True),
        ("logger.enableRich", True),
        ("server.enableXsrfProtection", False),
        ("server.enableCORS", False),
        ("server.enableStaticServing", True),
        ("server.enableAgentApi", True),
        ("server.maxUploadSize", 21),
        ("server.maxMessageSize", 200),
    ],
)
def test_each_option_that_is_wrong_is_named(monkeypatch, name, value):
    wrong = {**startup._MUST_BE, **startup._AT_MOST, "secrets.files": [], name: value}
    monkeypatch.setattr(config, "get_option", wrong.__getitem__)

    assert [fault.split(" ")[0] for fault in startup.faults()] == [name]


@pytest.mark.parametrize(
    ("command", "hosted"),
    [
        ("uvicorn app:app", False),
        ("uvicorn app:app --host localhost", False),
        ("uvicorn app:app --host ::1", False),
        ("uvicorn app:app --host 127.0.0.2", False),
        ("uvicorn app:app --host ::ffff:127.0.0.1", False),
        ("uvicorn app:app --host ::ffff:10.0.0.1", True),
        ("uvicorn app:app --host 0.0.0.0", True),
        ("uvicorn app:app --host=::", True),
        ("uvicorn app:app --host plan.example", True),
        ("uvicorn app:app --uds /run/app.sock", True),
        ("uvicorn --nonsense", True),
        ("/x/lib/uvicorn/__main__.py app:app --host 10.0.0.1", True),
        ("gunicorn app:app", True),
    ],
)
def test_any_address_but_ones_own_is_hosted(monkeypatch, command, hosted):
    monkeypatch.delenv("GYAKUSAN_HOSTED", raising=False)
    monkeypatch.setattr(sys, "argv", command.split())

    assert startup.hosted() is hosted


def test_an_operator_can_say_that_it_is_hosted(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["uvicorn", "app:app"])
    monkeypatch.setenv("GYAKUSAN_HOSTED", "1")

    assert startup.hosted()
