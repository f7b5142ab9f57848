"""robustnli: find the word an NLI model leans on, mask it, and see what fine-tuning fixed and broke."""

__version__ = "0.1.0"
