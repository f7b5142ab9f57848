"""What the Method page tells, read from files: the paper's printed figures, reports of runs, training logs, cards, faithfulness. No streamlit."""
