"""Who may see this plan?"""

import streamlit as st

from workbench import my_plans, new_link, page, session, sharing
from workbench.words import _

keeping = session.keeping()
around = sharing.around(keeping)
page.question(_("Who may see this plan?"))
page.answer(sharing.answer(keeping, around))
sharing.trouble(keeping, around)

if around.links is not None:
    st.subheader(_("Make a link"), anchor=False)
    new_link.maker()
    sharing.listed(around.links)
elif around.plans is not None:
    st.caption(_("Links are made and revoked, and the plan is deleted, by its facilitators: ask one of them."))

st.subheader(_("Take the plan along"), anchor=False)
my_plans.downloads()

if around.plans is not None:
    st.subheader(_("My plans"), anchor=False)
    st.caption(my_plans.whose())
    my_plans.listed(around.plans, keeping)
    my_plans.begin(keeping)
    st.subheader(_("Your name"), anchor=False)
    my_plans.name(keeping)
else:
    my_plans.opener()

if around.links is not None and keeping.plan_id:
    st.subheader(_("Delete the plan"), anchor=False)
    my_plans.delete(keeping)
