"""Which few KSFs do we put our people on?"""

import streamlit as st

from kpi_core import focus, horizons
from workbench import agreed, chosen, limits, one_more, page, sentences, sentences_doubt, session
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
found = focus.choose(plan, objective=objective, before=before)
both = horizons(found)
with above:
    page.answer(sentences.focus(found))
    page.aside(sentences_doubt.this_year(found, both), sentences_doubt.still_needed(found, both))
with right:
    chosen.teams(found)
    st.caption(md(sentences.proof(found)))
    if any(ksf.illustrative for ksf in plan.ksfs.values()):
        st.caption(_("Every lift, cost and hour is illustrative until you put in your own."))
    st.subheader(_("Why not the others?"), anchor=False)
    page.table(rows.left_out(found), key="left_out")

st.header(_("The next best sets"), anchor=False)
page.table(rows.alternatives(found), key="alternatives")

st.header(_("What if we had one more?"), anchor=False)
one_more.show(found)

st.header(_("How sure is this choice?"), anchor=False)
one_more.hold(found)

st.header(_("Do we agree?"), anchor=False)
agreed.form(found)

st.header(_("How one KSF's effect comes about"), anchor=False)
ksf = chosen.one(plan)
with st.expander(_("Edit this KSF"), icon=":material/edit:"):
    limits.ksf_form(plan, ksf)
    chosen.remover(ksf)
for entry in chosen.effects(found, ksf):
    page.picture(rows.ledger(plan, entry), sentences.effect(plan, entry))
page.numbers(rows.ledger_rows(plan, found.ledger), "focus.choose(plan).ledger", key="ledger")
chosen.constants(plan)
chosen.adder(plan)
page.code("focus.choose(plan).chosen", "focus.prices(focus.choose(plan))", "focus.robustness(focus.choose(plan))")
