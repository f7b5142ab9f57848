"""The input-format audit of a run: `formats`, which the app asks too."""

from robustnli.formats import FORMS, audit

__all__ = ["FORMS", "audit"]
