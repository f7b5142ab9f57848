"""The error explorer: what is asked (`inputs`), its address (`state`), the counts (`overview`, `behind`), the rows (`rows`)."""
