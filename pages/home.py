"""What are we planning?"""

import streamlit as st

from workbench import aim, files, new_plan, page, samples, sentences, session, words
from workbench.words import _, md

plan = session.plan()
page.question(
    _("What are we planning?"),
    _("Say what you want to reach, see what carries it, move a rate, and leave with the few KSFs that matter."),
)
page.answer(sentences.gap(plan))
aim.form(plan)
with st.container(horizontal=True):
    st.page_link("../pages/tree.py", label=_("See the tree"), icon=":material/account_tree:")
    st.page_link("../pages/whatif.py", label=_("Move a rate"), icon=":material/tune:")
    st.page_link("../pages/focus.py", label=_("Choose the KSFs"), icon=":material/center_focus_strong:")

st.subheader(_("Start from a template"), anchor=False)
told = _("Every number in a template is illustrative: replace it with your own last twelve months.")
st.caption(sentences.both(new_plan.what_it_does(), told))
columns = st.columns(len(samples.TEMPLATES))
for column, name in zip(columns, samples.TEMPLATES, strict=True):
    template = samples.template(name)
    with column.container(border=True, height="stretch", vertical_alignment="distribute"):
        with st.container():
            st.markdown(f"**{md(words.name(template))}**")
            st.caption(md(files.outline(template)))
        st.button(
            _("Use this"), key=f"use_{name}", on_click=new_plan.begin, args=(samples.template, name), width="stretch"
        )

st.subheader(_("Open a plan file"), anchor=False)
new_plan.field(_("A plan saved from this app (YAML or JSON)"), "open_file")
