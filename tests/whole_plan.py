"""One small plan in which everything stands that can name something else, and ways to break it."""

import copy
import math

# Formulas use the names people know.
WHOLE = {
    "schema": 1,
    "name": "全部",
    "currency": "JPY",
    "fiscal_year": {"starts": "2026-04"},
    "kgi": {"metric": "rev", "target": 2_000_000, "confidence": 0.7},
    "teams": {
        "a": {"name": "営業", "hours": 100, "quarters": [1, 2, 3, 4]},
        "b": {"name": {"ja": "販促", "en": "Ads"}},
    },
    "metrics": {
        "visits": {"name": "訪問", "kind": "count", "unit": "件", "team": "b", "value": 10_000, "season": [1] * 12},
        "rate": {
            "name": {"ja": "率", "en": "Rate"},
            "kind": "rate",
            "unit": "%",
            "value": 0.02,
            "low": 0.01,
            "high": 0.03,
        },
        "price": {"name": "単価(税抜)", "kind": "money", "unit": "円", "value": 5_000, "low": 4_000, "history": [1, 2]},
        "wins": {
            "name": "受注",
            "short": ["勝ち"],
            "kind": "count",
            "formula": "訪問 × Rate",
            "lag": [0.5, 0.5],
            "team": "a",
        },
        "rev": {"name": "売上", "kind": "kgi", "unit": "円", "formula": "勝ち × 単価", "by_month": "受注 × 単価"},
    },
    "ksfs": {
        "K1": {"name": "広告", "team": "b", "moves": {"visits": [0.1, 0.2, 0.3]}, "hours": {"a": 5, "b": 6}},
        "K2": {
            "name": "育成",
            "team": "a",
            "moves": {"rate": [0, 0.1, 0.2], "price": [0, 0, 0.1]},
            "needs": {"visits": 5},
            "depends_on": ["K1"],
        },
        "K3": {"name": "展示会", "team": "a", "moves": {"rate": [0, 0.1, 0.2]}, "excludes": ["K2"], "ramp": [1, 3]},
    },
    "limits": {"budget": 5, "lock": ["K1"], "rule_out": ["K3"]},
    "assumptions": {
        "execution": 0.5,
        "correlations": [{"pair": ["visits", "rate"], "rank": 0.5}],
        "synergies": [{"pair": ["K1", "K2"], "bonus": 0.1}],
    },
    "cash": {"rate": 0.9, "lag": [0.5, 0.5]},
    "opening": {"stock": {"visits": [3, 1]}, "lost": {"wins": [0.5, 0.5]}, "deals": [{"amount": 5, "chance": 0.5}]},
    "stages": ["visits", "wins"],
    "drivers": [{"source": "visits", "target": "rate", "elasticity": 0.1}],
    "decisions": [{"date": "2026-04-01", "chosen": ["K1"], "kgi": 5, "review": "2026-05-01"}],
}
BREAKS = ["2%", "abc", "", "a b", "\x00", [], {}, [1], [[]], {"x": 1}, True, None, 5, -1, 1e300, math.nan, "x" * 5_000]


def problems(error):
    return error.facts.get("problems", (error,))


def steps_of(node, path=()):
    """Yield the path of everything in plain data."""
    yield path
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, entry in inside:
        yield from steps_of(entry, (*path, key))


def with_put(whole, path, value):
    """Return a copy of plain data with the value at this path; None takes away what stands there."""
    changed = copy.deepcopy(whole)
    node = changed
    for step in path[:-1]:
        node = node[step]
    if value is None and isinstance(node, dict):
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return changed
