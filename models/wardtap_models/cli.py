"""`python -m wardtap_models`."""

import argparse
import sys
from pathlib import Path

from . import ModelError


def main(arguments: list[str] | None = None) -> int:
    """Runs a command. 0: done, 1: failed, 2: wrong usage."""
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.run(parsed) or 0
    except ModelError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wardtap_models", description=sys.modules[__package__].__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    fixture = commands.add_parser("fixture", help="make small models for tests, good and bad ones")
    fixture.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    fixture.add_argument("--keras", action="store_true", help="a Keras one too (needs TensorFlow)")
    fixture.set_defaults(run=_fixture)
    return parser


def _fixture(arguments: argparse.Namespace) -> None:
    from .fixture import make

    for path in make(arguments.out, arguments.keras):
        print(path)
