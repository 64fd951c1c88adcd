"""The model card: what a model is, what it was made of, what it does not do (Mitchell et al. 2019)."""

import json

from .evaluate import Evaluation

_LIMITS = """
## What it does not do
- A single flow's p-value is not an alert: of a million ordinary flows, a thousand are at p <= 0.001 by definition. The daemon alerts on devices' windows
  and on agreement with its detectors.
- p-values hold for traffic like the calibration rows, and their least is {floor:.2g}. On another site they are off until it is trained or
  calibrated there: `python -m wardtap_models train` on features that were exported there.
- It sees amounts and times of flows, not contents, addresses, ports or the time of day. Attacks that look like ordinary flows one by one (harvesting of
  studies by an allowed workstation, injected HL7 messages, slow exfiltration) are the detectors' business.
- What was in the training rows is normal to it, an attack too.
- `contrib` is the autoencoder's share of each feature; the forest's part of the score is shared out in the same way.
"""


def render(name: str, size: int, entries: dict[str, str], source: str, evaluations: dict[str, Evaluation]) -> str:
    """The card of a model, from its metadata, what is said about its rows, and its evaluations by title."""
    rows = json.loads(entries["wardtap.rows"])
    window = json.loads(entries["wardtap.window"])
    versions = json.loads(entries["wardtap.versions"])
    floor = float(entries["wardtap.p_floor"])
    text = [
        f"# {name}",
        "",
        "Says how strange a flow is: a score, a conformal p-value, and each feature's part in it.",
        "",
        "| | |",
        "| --- | --- |",
        f"| schema | {entries['wardtap.schema']} |",
        f"| trainer | {entries['wardtap.trainer']}, seed {entries['wardtap.seed']} |",
        f"| size | {size} bytes |",
        f"| training | {rows['train']} flows, {' to '.join(window['train'])} |",
        f"| calibration | {rows['calibrate']} flows, {' to '.join(window['calibrate'])} |",
        f"| SHA-256 of the training features | `{entries['wardtap.training_sha256']}` |",
        f"| p <= 0.001 of calibration flows | {float(entries['wardtap.recorded_rate']):.5f} |",
        f"| made with | {', '.join(f'{key} {value}' for key, value in versions.items())} |",
        "",
        "## What it learnt from",
        source,
    ]
    for title, evaluation in evaluations.items():
        text += ["", f"## {title}", *evaluation.lines()]
    text.append(_LIMITS.format(floor=floor))
    return "\n".join(text)
