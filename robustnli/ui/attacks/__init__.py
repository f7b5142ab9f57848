"""The attacks page: what is asked (`inputs`), its address (`state`), a run of one's own (`run`), the counts (`overview`), the rows (`rows`)."""
