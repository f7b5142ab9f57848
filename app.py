"""The app's page list and page-wide settings, nothing else."""

import streamlit as st

st.set_page_config(page_title="robustnli", page_icon=":material/troubleshoot:", layout="wide")
st.navigation([st.Page("pages/explore.py", title="Flip lab", icon=":material/swap_horiz:", default=True)], position="top").run()
