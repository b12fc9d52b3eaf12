"""The rival of the browser benchmark: one slider, one chart, Streamlit as it comes."""

import altair as alt
import pandas as pd
import streamlit as st

rate = st.slider("rate", 0, 100, 75)
goal = 864_000_000 * rate / 75
st.markdown(f"KGI {goal:,.0f}")
st.altair_chart(
    alt.Chart(pd.DataFrame({"name": ["now", "goal"], "value": [goal, 1e9]})).mark_bar().encode(x="name", y="value")
)
