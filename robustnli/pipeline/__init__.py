"""Offline work: train, trim, attack in bulk, fine-tune, evaluate. Never imported by the app."""
