"""By when must it happen?"""

import streamlit as st

from workbench import months, page, sentences, sentences_time, session, surety, timing
from workbench.look import Look
from workbench.rows import deadlines as rows
from workbench.words import _

plan, before = session.plan(), session.baseline()
page.question(_("By when must it happen?"))
if not plan.tree_by_month.levers(plan.kgi.metric):
    page.answer(sentences.no_lever(plan))
    page.end()

above = st.container()
with page.part():
    with st.container(key="controls"):
        left, middle, right = st.columns([1.2, 1.1, 2.5], gap="medium")
        with left:
            start = months.start(plan)
        with middle:
            levers = months.lever(plan)
        with right:
            confidence = surety.choose(plan, "surety_deadlines")
            ksfs = months.at_work(plan)
    look = Look.at(plan, before, levers=levers, start=start, confidence=confidence, ksfs=ksfs)
    with above:
        page.answer(sentences.both(sentences_time.last_deals(look), sentences_time.needed(look)), lines=3)
        page.illustrative(plan)
    st.caption(_("What one more that comes in then is still worth for this year, in % of what it is worth in the end:"))
    page.picture(rows.calendar(look), sentences_time.calendar(look))
    page.remarks(
        sentences_time.plain(look),
        sentences_time.beyond(look),
        sentences_time.today(look, before),
    )
    page.numbers(rows.last_months(look), "timeline.run(plan).deadlines", key="last_months")

    st.header(_("What has to come in, month by month?"), anchor=False)
    page.picture(rows.course(look), sentences_time.course(look))
    page.table(rows.by_month(look, months.parts()), key="by_month")
    with st.container():
        if (evened := look.evened(before)) is not None:
            with st.expander(_("The same every month instead")):
                page.answer_small(sentences_time.evened(look, evened))
                page.table(rows.profile(look, evened), key="profile")

    st.header(_("What does waiting cost?"), anchor=False)
    later = look.by_start(before)
    page.picture(rows.starts(look, later), sentences_time.starts(later, look))

    st.header(_("What is one more worth, and when?"), anchor=False)
    page.table(rows.worth(look), key="worth_by_month")

    st.header(_("Which levers are still alive?"), anchor=False)
    page.answer_small(sentences_time.alive(look))
    page.table(rows.alive(look), key="alive")

    st.header(_("When does the money arrive, and is there time for the work?"), anchor=False)
    with st.container():  # one place, so that what stands below stays open when this changes
        page.answer_small(sentences_time.cash(look))
        if loads := look.needed.loads:
            page.answer_small(sentences_time.loads(look, loads))
            page.table(rows.loads(look, loads), key="loads")

st.header(_("What this rests on"), anchor=False)
timing.settings(plan)
page.code(
    "timeline.run(plan).deadlines", "pacing.volume(plan, start=1)", "pacing.volume(plan, start=7, confidence=0.8)"
)
