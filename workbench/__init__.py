"""What makes it an app: state, words, charts, rows of tables; Streamlit lives here and never in the core."""
