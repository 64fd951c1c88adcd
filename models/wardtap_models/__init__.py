"""Trains, packs, checks and signs Wardtap's anomaly models."""

import os

# Before onnxruntime is imported: it would report its use to its maker.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"


class ModelError(Exception):
    """What a person can do something about: it says what is wrong, where, and what to do."""
