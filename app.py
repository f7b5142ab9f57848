"""The app's server, its page list and page-wide settings, nothing else."""

from pathlib import Path

import streamlit as st

from robustnli.ui import keys, look, server, state

if __name__ != "__main__":  # the server imports this file once; every visitor's session runs it as __main__
    app = st.App(__file__, **server.settings())
else:
    # A file of ours: the browser would fetch a Material symbol as page icon from a font server.
    ICON = Path(state.__file__).with_name("icon.svg")

    st.set_page_config(page_title="robustnli", page_icon=str(ICON), layout="wide")
    page = st.navigation(
        [
            st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
            st.Page("pages/explore.py", title="Flip lab", icon=":material/swap_horiz:"),
            st.Page("pages/errors.py", title="Errors", icon=":material/pie_chart:"),
            st.Page("pages/attacks.py", title="Attacks", icon=":material/bolt:"),
            st.Page("pages/curate.py", title="Curate", icon=":material/rate_review:"),
            st.Page("pages/method.py", title="Method", icon=":material/menu_book:"),
        ],
        position="top",
    )
    look.even()
    state.keep(page.title)
    keys.listed(page.title)
    page.run()
