"""What the Curate page draws: the review queue, the table, export, import, replay, repair. State and address are in `state`."""
