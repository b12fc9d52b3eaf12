"""Who has signed in, what is offered to them, and what is said before the first person comes of a wrong set-up."""

from __future__ import annotations

import pytest
import streamlit as st

from tests.visits import visit
from workbench import persons, startup

AUTH = {
    "redirect_uri": "https://plans.example.test/oauth2callback",
    "cookie_secret": "s" * 43,
    "client_id": "gyakusan",
    "client_secret": "between us",
    "server_metadata_url": "https://id.example.test/.well-known/openid-configuration",
}
ADA = {"is_logged_in": True, "iss": "https://id.example.test", "sub": "ada", "name": "Ada *L*"}


@pytest.fixture
def auth(monkeypatch):
    """Secrets that let people sign in."""
    found = dict(AUTH)
    monkeypatch.setattr(persons, "configured", lambda: found)
    return found


def as_user(monkeypatch, claims):
    monkeypatch.setattr(st, "user", claims)


def test_nobody_can_sign_in_where_nothing_is_set_up(monkeypatch):
    as_user(monkeypatch, ADA)  # what a host may say by itself does not count

    assert persons.providers() == []
    assert persons.signed_in() is None
    assert not [button.key for button in visit().button if "sign" in str(button.key)]


def test_a_person_is_issuer_and_subject_and_nothing_else(monkeypatch, auth):
    known = set()
    for changed in ({}, {"sub": "grace"}, {"iss": "https://other.example.test"}, {"name": "Somebody else"}):
        as_user(monkeypatch, ADA | changed)
        known.add(persons.signed_in())

    assert len(known) == 3
    assert all(who.startswith("person:") and "ada" not in who for who in known)


@pytest.mark.parametrize(
    "claims",
    [{}, ADA | {"is_logged_in": False}, ADA | {"sub": ""}, ADA | {"sub": None}, ADA | {"iss": 7}, {"sub": "ada"}],
)
def test_who_has_not_quite_signed_in_is_nobody(monkeypatch, auth, claims):
    as_user(monkeypatch, claims)
    assert persons.signed_in() is None


@pytest.mark.parametrize(
    ("claims", "said"),
    [({}, ""), ({"name": " "}, ""), ({"name": 7, "email": "a@b.test"}, "a@b.test"), ({"name": "n" * 200}, "n" * 80)],
)
def test_a_person_is_called_as_the_provider_says(monkeypatch, claims, said):
    as_user(monkeypatch, claims)
    assert persons.name() == said


def test_each_provider_has_its_button_and_a_name_is_text(auth):
    assert [button.label for button in visit().button if str(button.key).startswith("sign_in")] == ["Sign in"]

    auth["client_kwargs"] = {"prompt": "login"}  # no provider
    for name in ("okta", "*x*"):
        auth[name] = {"client_id": "other"}
    labels = [button.label for button in visit().button if str(button.key).startswith("sign_in")]
    assert labels == ["Sign in with okta", "Sign in with \\*x\\*"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"cookie_secret": "short"}, "cookie_secret"),
        ({"cookie_secret": None}, "cookie_secret"),
        ({"redirect_uri": "http://plans.example.test/oauth2callback"}, "redirect_uri"),
        ({"redirect_uri": "https://plans.example.test/"}, "redirect_uri"),
        ({"redirect_uri": "http://localhost:{port}/oauth2callback"}, ""),
        ({"expose_tokens": "id"}, "expose_tokens"),
        ({"client_id": ""}, "client_id"),
        ({"my_own": {"client_id": "x"}}, "underscore"),
    ],
)
def test_a_wrong_set_up_is_a_fault_that_quotes_no_secret(auth, changed, said):
    auth.update(changed)
    faults = [fault for fault in startup.faults() if "auth." in fault]

    assert len(faults) == bool(said)
    assert all(said in fault and "short" not in fault for fault in faults)


def test_a_long_subject_is_told_from_another_one_to_its_last_letter(monkeypatch, auth):
    as_user(monkeypatch, ADA | {"sub": "s" * 250 + "a"})
    one = persons.signed_in()
    as_user(monkeypatch, ADA | {"sub": "s" * 250 + "b"})

    assert persons.signed_in() != one
