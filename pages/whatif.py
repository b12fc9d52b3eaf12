"""What happens if…?"""

import streamlit as st

from kpi_core import goal
from kpi_core.attribution import explain_plans
from workbench import levers, moves, page, scenarios, sentences, sentences_doubt, session, surety
from workbench.rows import tree as board
from workbench.rows import whatif as rows
from workbench.words import _

plan, before = session.plan(), session.baseline()
moved = rows.changed(plan, before)
page.question(_("What happens if…?"))
page.answer(sentences.moved(plan, before, moved) if moved else sentences.gap(plan), lines=2)
page.illustrative(plan)

moves.offer()
left, right = st.columns([1.7, 1], gap="large")
with right:  # first what waits for the server; the board has moved already
    change = explain_plans(before, plan)
    page.picture(rows.bridge(plan, before, change), sentences.bridge(plan, before, moved, change))
page.show_now()
with left:
    moves.board(plan, "funnel", stages=board.stages(plan))
with right:
    scenarios.put_back(plan, before, moved)
    with st.expander(_("Move the levers with plain sliders"), icon=":material/tune:"):
        levers.by_team(plan)

if plan.tree.levers(plan.kgi.metric):
    st.header(_("What would it take?"), anchor=False)
    confidence = surety.choose(plan, "surety_whatif")
    with page.part():
        needed = goal.required_all(plan, confidence=confidence)
        chances = surety.chances(plan, {lever: one.value for lever, one in needed.items()})
        page.aside(sentences_doubt.planned_for(plan, confidence))
        page.answer_small(sentences.alone(plan, needed))
        page.table(rows.needed_alone(plan, needed, chances), key="needed_alone")
        scenarios.take_one(plan, needed)

    st.subheader(_("Shared over several levers, with the least effort"), anchor=False)
    levers_free = scenarios.choose_levers(plan)
    with page.part():
        spread = goal.least_effort(plan, levers_free, confidence=confidence)
        chances = surety.chances(plan, {lever: one.value for lever, one in spread.items()})
        page.answer_small(sentences.least_effort(plan, spread))
        page.table(rows.spread(plan, spread, chances), key="least_effort")
        moving = {lever: one for lever, one in chances.items() if spread[lever].log_change}
        page.aside(sentences_doubt.targets(plan, moving))
        scenarios.take_spread(spread)

st.subheader(_("Scenarios side by side"), anchor=False)
scenarios.keep()
if kept := session.desk().scenarios:
    page.table(rows.compared(plan, kept), key="scenarios")
page.code("goal.least_effort(plan)", "goal.required_all(plan)")
