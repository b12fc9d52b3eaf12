"""Which lever matters most?"""

import streamlit as st

from kpi_core import goal, sensitivity
from workbench import doubt, page, pairs, sentences, sentences_doubt, session, surety, together
from workbench.rows import doubt as doubts
from workbench.rows import sensitivity as rows
from workbench.rows import whatif
from workbench.words import _

plan, before = session.plan(), session.baseline()
page.question(
    _("Which lever matters most?"), _("Every lever is moved across its own plausible range, the others held still.")
)
if not plan.tree.levers(plan.kgi.metric):
    page.answer(sentences.no_lever(plan))
    page.end()

with page.part():
    bars = sensitivity.tornado(plan.tree, plan.kgi.metric)
    page.answer(sentences.strongest(plan, bars))
    page.illustrative(plan)
    page.picture(rows.tornado(plan, bars), sentences.tornado(plan, bars))
    page.numbers(rows.tornado_table(plan, bars), "sensitivity.tornado(plan.tree, of=plan.kgi.metric)", key="tornado")

st.header(_("What is one more point worth?"), anchor=False)
with page.part():
    worths = sensitivity.plus_one(plan)
    page.answer_small(sentences.point(plan, worths))
    page.table(rows.worths(plan, worths, before), key="worths")
    st.caption(_("A point is not equally hard everywhere: compare it with 1% of the lever itself."))

st.header(_("How sure are we?"), anchor=False)
with page.part():
    seen = doubt.of(plan, before)
    page.answer_small(sentences_doubt.sure(plan, seen))
    page.picture(doubts.fan(plan, seen), sentences_doubt.fan(plan, seen))
    st.caption(sentences_doubt.held(seen))
    if seen.levers:
        page.picture(doubts.shares(plan, seen), sentences_doubt.shares(plan, seen))
        page.answer_small(sentences_doubt.finding_out(plan, seen.finding_out))
        st.caption(
            _(
                "In a full year. Working on a lever brings it controllability ÷ 5 of the way to its favourable end."
                " Parts overlap, so they may sum to more than 100%."
            )
        )
        page.numbers(doubts.table(plan, seen), "uncertainty.finding_out(plan).worth", key="doubt")
together.form(plan)

st.header(_("Where is the bottleneck?"), anchor=False)
with page.part():
    scores = sensitivity.bottleneck(plan)
    page.answer_small(sentences.bottleneck(plan, scores))
    page.table(rows.bottleneck(plan, scores), key="bottleneck")
    st.caption(_("Score = elasticity × room to the favourable end × controllability ÷ 5."))

if partners := pairs.of(plan):
    st.header(_("Two at once"), anchor=False)
    first, second = pairs.choose(plan, partners)
    with page.part():
        grid = sensitivity.two_way(plan, first, second)
        page.picture(rows.grid(plan, grid), sentences.grid(plan, grid))

st.header(_("What would each lever alone have to be?"), anchor=False)
with page.part():
    needed = goal.required_all(plan)
    page.answer_small(sentences.alone(plan, needed))
    chances = surety.chances(plan, {lever: one.value for lever, one in needed.items()})
    page.table(whatif.needed_alone(plan, needed, chances), key="break_even")
page.code("sensitivity.plus_one(plan)", "sensitivity.bottleneck(plan)", "sensitivity.two_way(plan, first, second)")
