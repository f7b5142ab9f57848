"""Method: what the app does and does not show, for a reader of the paper."""

import streamlit as st

st.title("Method")
