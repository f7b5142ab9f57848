"""All streamlit code of the package. Pages ask it for values and show what it draws."""
