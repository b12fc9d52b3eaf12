"""Which few KSFs do we put our people on?"""

import streamlit as st

from kpi_core import horizons
from kpi_core.focus import returns
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
    page.end()

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
        page.end()
    found = searching.choose(plan, objective, before)
    both, parts, year = horizons(found), contributions(found), returns(found)
    page.answer(sentences.focus(found))
    page.aside(sentences_doubt.this_year(found, both), sentences_doubt.still_needed(found, both))
with right:
    chosen.warnings(found)
    chosen.teams(found, parts, year)
    st.caption(md(sentences.proof(found)))
    chosen.brings_and_uses(found, both)

why, others, next_best, sure, more, agree, rests = page.sections(
    _("Why these?"),
    _("Why not the others?"),
    _("The next best sets"),
    _("How sure is this choice?"),
    _("What if we had one more?"),
    _("Do we agree?"),
    _("What all this rests on"),
)
with why:
    page.picture(chosen_set.waterfall(found, parts), says.waterfall(found, parts))
    chosen.one_effect(found)
with next_best:
    page.answer_small(says.ties(found))
    page.table(rows.alternatives(found), key="alternatives", stacks=True)
with sure:
    one_more.offer(found)
with agree:
    agreed.form(found, searching.overriding_at_once(found))
with rests:
    page.numbers(ledger.ledger_rows(plan, found.ledger), "focus.choose(plan).ledger", key="ledger", stacks=True)
    chosen.constants(plan)
    chosen.adder(plan)
    page.code("focus.choose(plan).chosen", "focus.prices(focus.choose(plan))", "focus.robustness(focus.choose(plan))")

# What may take long comes last, each in its place above: nobody has to wait for it to read on, or to agree.
with others:
    priced = searching.overriding(found)
    agreed.catch_up()
    page.table(rows.left_out(found), key="left_out", stacks=True)
    page.aside(says.not_looked_into(found))
    st.subheader(_("What does it cost to decide otherwise?"), anchor=False)
    page.answer_small(says.cheapest(found, priced))
    page.table(rows.overriding(found, priced), key="overriding", stacks=True)
    st.caption(_("Each time everything else is chosen again, so what goes makes room for what is then best."))
with more:
    one_more.show(found)
with sure:
    one_more.hold(found)
