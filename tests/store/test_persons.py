"""Who signs in has what their browser had, and the browser has nothing of it once they sign out."""

from __future__ import annotations

import pytest

from kpi_core.errors import KpiError
from workbench import samples
from workbench.store import Actor, Store, new_key

BROWSER, OTHER, ADA, GRACE = (Actor.of(name) for name in ("browser", "another browser", "person:ada", "person:grace"))


@pytest.fixture
def kept(store: Store) -> str:
    """A plan the browser made."""
    plan_id = store.begin(BROWSER, samples.sample_plan(), key=new_key()).plan_id
    store.keep_desk(BROWSER, plan_id, {"language": "en"})
    return plan_id


def test_what_a_browser_made_is_the_persons_who_signs_in(store, kept):
    store.adopt(BROWSER, ADA)

    assert store.standing(ADA, kept).role == "facilitate"
    assert store.latest(ADA) == kept
    assert store.desk(ADA, kept) == {"language": "en"}
    assert [one.plan_id for one in store.plans(ADA)] == [kept]
    assert store.plans(GRACE) == []
    assert store.standing(BROWSER, kept).role == "facilitate"


def test_a_link_come_by_later_is_the_persons_too_and_the_role_is_the_links(store, kept):
    store.adopt(OTHER, ADA)
    link, token = store.issue(BROWSER, kept, "view")
    assert store.enter(OTHER, token, address="10.0.0.1") == kept

    store.adopt(OTHER, ADA)
    assert store.standing(ADA, kept).role == "view"
    store.revoke(BROWSER, kept, link.id)
    with pytest.raises(KpiError, match="not allow"):
        store.standing(ADA, kept)


def test_what_the_person_has_beside_a_plan_stays_and_the_plan_opened_last_is_the_latest(store, kept, clock):
    store.adopt(BROWSER, ADA)
    clock.pass_by(minutes=1)
    store.keep_desk(ADA, kept, {"language": "ja"})
    store.adopt(BROWSER, ADA)
    assert store.desk(ADA, kept) == {"language": "ja"}

    other = store.begin(ADA, samples.sample_plan(), key=new_key()).plan_id
    clock.pass_by(minutes=1)
    store.keep_desk(ADA, other, {})
    clock.pass_by(minutes=1)
    store.keep_desk(BROWSER, kept, {})
    store.adopt(BROWSER, ADA)
    assert store.desk(ADA, kept) == {"language": "ja"}
    assert store.latest(ADA) == kept


def test_who_signs_out_leaves_nothing_in_the_browser_and_keeps_all_of_it(store, kept):
    store.adopt(BROWSER, ADA)
    later = store.begin(BROWSER, samples.sample_plan(), key=new_key()).plan_id

    store.forget(BROWSER, ADA)

    assert store.plans(BROWSER) == []
    assert store.latest(BROWSER) is None
    with pytest.raises(KpiError, match="not allow"):
        store.read(BROWSER, kept)
    assert {one.plan_id for one in store.plans(ADA)} == {kept, later}
    store.adopt(BROWSER, GRACE)
    assert store.plans(GRACE) == []


def test_signing_in_again_writes_nothing(store, kept, monkeypatch):
    store.adopt(BROWSER, ADA)
    monkeypatch.setattr(store, "_write_own", None)
    store.adopt(BROWSER, ADA)
