"""Which few KSFs do we put our people on?"""

import streamlit as st

st.write("soon")
