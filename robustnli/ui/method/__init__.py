"""The Method page's parts."""
