"""Finished attacks: their folders (`files`), what follows from their rows (`view`, `counts`), and how they are shown (`charts`, `cards`)."""
