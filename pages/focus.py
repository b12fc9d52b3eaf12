"""Which few KSFs do we put our people on?"""

import streamlit as st

from kpi_core import horizons
from kpi_core.focus.contributions import contributions
from workbench import agreed, chosen, limits, one_more, page, searching, sentences, sentences_doubt, session
from workbench import sentences_set as says
from workbench.rows import chosen_set, ledger
from workbench.rows import focus as rows
from workbench.words import _, md

plan, before = session.plan(), session.baseline()
page.question(_("Which few KSFs do we put our people on?"))
if not plan.ksfs:
    st.info(_("This plan has no KSFs yet. Add some from the catalogue below."))
    chosen.adder(plan)
    st.stop()

above = st.container()
left, right = st.container(key="limits_and_set").columns([1, 2.2], gap="large")
with left:
    objective = limits.objective()
    limits.form(plan)
    st.caption(_("More skill makes hard KSFs work and leaves less to gain from basic ones: see the assumptions."))
    limits.choices(plan)
with above:
    page.remarks(*(blocked := says.in_the_way(plan)))
    if blocked:
        st.stop()
    found = searching.choose(plan, objective, before)
    both, parts = horizons(found), contributions(found)
    page.answer(sentences.focus(found))
    page.aside(sentences_doubt.this_year(found, both), sentences_doubt.still_needed(found, both))
with right:
    chosen.warnings(found)
    chosen.teams(found, parts)
    st.caption(md(sentences.proof(found)))
    chosen.brings_and_uses(found, both)

st.header(_("Why these?"), anchor=False)
page.picture(chosen_set.waterfall(found, parts), says.waterfall(found, parts))
chosen.one_effect(found)

st.header(_("Why not the others?"), anchor=False)
priced = searching.overriding(found)
page.table(rows.left_out(found), key="left_out")
page.aside(says.not_looked_into(found))
st.subheader(_("What does it cost to decide otherwise?"), anchor=False)
page.answer_small(says.cheapest(found, priced))
page.table(rows.overriding(found, priced), key="overriding")
st.caption(_("Each time everything else is chosen again, so what goes makes room for what is then best."))

st.header(_("The next best sets"), anchor=False)
page.answer_small(says.ties(found))
page.table(rows.alternatives(found), key="alternatives")

st.header(_("How sure is this choice?"), anchor=False)
one_more.hold(found)

st.header(_("What if we had one more?"), anchor=False)
one_more.show(found)

st.header(_("Do we agree?"), anchor=False)
agreed.form(found, priced)

st.header(_("What all this rests on"), anchor=False)
page.numbers(ledger.ledger_rows(plan, found.ledger), "focus.choose(plan).ledger", key="ledger")
chosen.constants(plan)
chosen.adder(plan)
page.code("focus.choose(plan).chosen", "focus.prices(focus.choose(plan))", "focus.robustness(focus.choose(plan))")
