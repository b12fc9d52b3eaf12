"""Plans made for tests: as many cards as one likes, in the shape real ones have."""

from __future__ import annotations

from typing import Any

from kpi_core.plan import Plan

_STEPS = (
    ("visitors", "訪問者数", "Visitors", 8_000),
    ("cvr", "CVR", "CVR", 0.02),
    ("close", "受注率", "Win rate", 0.1),
)


def channels(count: int, segments: int) -> Plan:
    """Return ¥ = Σ channels Σ segments visitors · CVR · win rate · price: 1 + count · (1 + segments · 7) cards.

    `channels(2, 1)` has 17 of them, `channels(3, 2)` 46, `channels(4, 7)` 201.
    """
    metrics: dict[str, Any] = {}
    for channel in range(count):
        parts = []
        for segment in range(segments):
            at = f"{channel}_{segment}"
            label = f"{'ABCDEFGH'[channel]}{segment + 1}"
            for name, ja, en, value in _STEPS:
                rate = value < 1
                metrics[f"{name}_{at}"] = {
                    "name": {"ja": f"{ja} {label}", "en": f"{en} {label}"},
                    "unit": "%" if rate else "人",
                    "kind": "rate" if rate else "count",
                    "team": ("marketing", "inside_sales", "field_sales")[segment % 3],
                    "value": value * (1 + segment / 10),
                    "low": value / 2,
                    "high": value * 2.5,
                }
            metrics[f"price_{at}"] = {
                "name": {"ja": f"受注単価 {label}", "en": f"Deal value {label}"},
                "unit": "円/件",
                "kind": "money",
                "team": "field_sales",
                "value": 1_000_000,
                "low": 700_000,
                "high": 1_500_000,
            }
            for name, ja, en, formula, unit in (
                ("leads", "リード数", "Leads", f"visitors_{at} * cvr_{at}", "件"),
                ("wins", "受注数", "Deals won", f"leads_{at} * close_{at}", "件"),
                ("sales", "売上", "Sales", f"wins_{at} * price_{at}", "円"),
            ):
                metrics[f"{name}_{at}"] = {
                    "name": {"ja": f"{ja} {label}", "en": f"{en} {label}"},
                    "unit": unit,
                    "kind": "count" if unit == "件" else "result",
                    "team": "marketing",
                    "formula": formula,
                }
            parts.append(f"sales_{at}")
        letter = "ABCDEFGH"[channel]
        metrics[f"channel_{channel}"] = {
            "name": {"ja": f"チャネル{letter}の売上", "en": f"Sales of channel {letter}"},
            "unit": "円",
            "kind": "result",
            "team": "company",
            "formula": " + ".join(parts),
        }
    metrics["revenue"] = {
        "name": {"ja": "売上", "en": "Revenue"},
        "unit": "円",
        "kind": "kgi",
        "team": "company",
        "formula": " + ".join(f"channel_{channel}" for channel in range(count)),
    }
    teams = {
        "marketing": {"name": {"ja": "マーケティング", "en": "Marketing"}},
        "inside_sales": {"name": {"ja": "インサイドセールス", "en": "Inside sales"}},
        "field_sales": {"name": {"ja": "フィールドセールス", "en": "Field sales"}},
        "company": {"name": {"ja": "全社", "en": "Company"}},
    }
    plan = {
        "schema": 1,
        "name": {"ja": f"{count}チャネルの計画", "en": f"Plan of {count} channels"},
        "fiscal_year": {"starts": "2026-04"},
        "kgi": {"metric": "revenue", "target": 1.0},
        "teams": teams,
        "metrics": metrics,
        "stages": ["visitors_0_0", "leads_0_0", "wins_0_0"],
    }
    made = Plan.from_data(plan)
    return made.replace({"kgi.target": round(made.tree.now("revenue") * 1.2)})


def renamed(plan: Plan, name: str) -> Plan:
    """Return a plan in which everything that can be named is called `name`, with a number behind it."""
    changes: dict[str, Any] = {"name.ja": name, "name.en": name}
    for part in ("metrics", "ksfs", "teams"):
        for at, key in enumerate(getattr(plan, part)):
            changes |= {f"{part}.{key}.name.{language}": f"{name}{at}" for language in ("ja", "en")}
    return plan.replace(changes)
