"""What changed, and who changed it?"""

import streamlit as st

from workbench import my_plans, page, session, version_list, version_pairs, versions
from workbench.words import _

keeping = session.keeping()
seen = versions.look(keeping)
page.question(_("What changed, and who changed it?"))
page.answer(seen.answer())
if not seen.found:
    my_plans.downloads()
    page.end()

version_pairs.show(seen.shelf)
st.subheader(_("The versions, the newest first"), anchor=False)
version_list.show(seen.shelf, seen.found, keeping)
