"""Trains, packs, checks and signs Wardtap's anomaly models."""

__version__ = "0.1.0"


class ModelError(Exception):
    """What a person can do something about: it says what is wrong, where, and what to do."""
