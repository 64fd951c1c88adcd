"""`python -m wardtap_models`.

Libraries that take long to load are imported by the command that needs them.
"""

import argparse
import sys
from pathlib import Path

from . import ModelError

_LEAST_TEST = 100


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

    train = commands.add_parser("train", help="make a model of exported features")
    train.add_argument("rows", type=Path, metavar="ROWS.csv", help="what `wardtap export features` wrote")
    train.add_argument("--out", type=Path, required=True, metavar="MODEL.onnx")
    train.add_argument("--trainer", choices=("sklearn", "keras"), default="sklearn")
    train.add_argument("--seed", type=int, default=1)
    train.add_argument("--epochs", type=_at_least_one, default=40)
    train.add_argument(
        "--split",
        type=_split,
        default=(0.6, 0.2),
        metavar="TRAIN,CALIBRATE",
        help="shares of the time; what is left tests the model for its card (default 0.6,0.2)",
    )
    train.add_argument(
        "--hold-out", type=_share, default=0.1, metavar="SHARE", help="of the devices, for the test only (default 0.1)"
    )
    train.add_argument("--digests", type=Path, metavar="FILE", help="of learnt rows (default MODEL.digests)")
    train.add_argument(
        "--calibrate-with",
        type=Path,
        metavar="ROWS.csv",
        help="rows that join the calibration, of whatever time: flows of alerts that people called benign",
    )
    train.add_argument(
        "--test", type=Path, action="append", default=[], metavar="TEST.csv", help="other rows to measure for the card"
    )
    train.add_argument("--source", default="", metavar="TEXT", help="what the card says about the rows")
    train.set_defaults(run=_train)

    windows = commands.add_parser("windows", help="make the model of windows, of simulated hospitals")
    windows.add_argument("hospitals", type=Path, nargs="+", metavar="WINDOWS.csv", help="what `evaluation windows` wrote")
    windows.add_argument(
        "--needed", type=Path, action="append", required=True, metavar="WINDOWS.csv", help="others, for the thresholds"
    )
    windows.add_argument("--out", type=Path, required=True, metavar="MODEL.onnx")
    windows.add_argument("--seed", type=int, default=1)
    windows.set_defaults(run=_windows)

    evaluate = commands.add_parser("evaluate", help="rates and, with a column `label`, recall by class")
    evaluate.add_argument("model", type=Path, metavar="MODEL.onnx")
    evaluate.add_argument("rows", type=Path, metavar="ROWS.csv")
    evaluate.add_argument("--devices", type=_at_least_one, help="of the site (default: private addresses seen)")
    evaluate.set_defaults(run=_evaluate)

    verify = commands.add_parser("verify", help="ask what the daemon asks before it takes a model")
    verify.add_argument("model", type=Path, metavar="MODEL.onnx")
    verify.add_argument("--rows", type=Path, metavar="ROWS.csv", help="flows of which few may be strange")
    verify.add_argument("--trusted", action="append", default=[], metavar="KEY", help="public key, hexadecimal")
    verify.set_defaults(run=_verify)

    card = commands.add_parser("card", help="write the model card again, evaluated on other rows")
    card.add_argument("model", type=Path, metavar="MODEL.onnx")
    card.add_argument("--rows", type=Path, action="append", default=[], metavar="ROWS.csv")
    card.add_argument("--source", default="", metavar="TEXT", help="what the card says about the training rows")
    card.set_defaults(run=_card)

    leakage = commands.add_parser("leakage", help="fail if a model learnt from any of these rows")
    leakage.add_argument("digests", type=Path, metavar="MODEL.digests")
    leakage.add_argument("rows", type=Path, metavar="TEST.csv")
    leakage.set_defaults(run=_leakage)

    keygen = commands.add_parser("keygen", help="make a key that signs models")
    keygen.add_argument("key", type=Path, metavar="FILE")
    keygen.set_defaults(run=_keygen)

    sign = commands.add_parser("sign", help="sign a model's manifest")
    sign.add_argument("model", type=Path, metavar="MODEL.onnx")
    sign.add_argument("--key", type=Path, required=True, metavar="FILE")
    sign.set_defaults(run=_sign)

    fixture = commands.add_parser("fixture", help="make small models for tests, good and bad ones")
    fixture.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    fixture.add_argument("--keras", action="store_true", help="a Keras one too (needs TensorFlow)")
    fixture.set_defaults(run=_fixture)
    return parser


def _train(arguments: argparse.Namespace) -> None:
    from . import digests, split
    from .artifact import describe, replace_file, save
    from .assemble import assemble
    from .rows import read
    from .trainers import trainer
    from .training import Settings, learn

    out = _onnx(arguments.out)
    library = trainer(arguments.trainer)
    versions = library.versions()
    train, calibrate = arguments.split
    parts = split.by_time(read(arguments.rows), train, calibrate, arguments.hold_out, arguments.seed)
    if arguments.calibrate_with:
        parts = parts.calibrated_with(read(arguments.calibrate_with))
    others = {f"On {path.name}": read(path) for path in arguments.test}
    print(f"{len(parts.train)} rows to learn from, {len(parts.calibrate)} to calibrate, {len(parts.test)} to test")
    learnt = learn(library, parts.train, parts.calibrate, Settings(seed=arguments.seed, epochs=arguments.epochs))
    model = assemble(learnt)
    describe(model, parts.train, parts.calibrate, library.name, versions, arguments.seed)
    card = _card_of(model, out.stem, arguments.source, _tests(model, parts, others))
    listed = arguments.digests or out.with_suffix(".digests")
    digests.write(listed, [parts.train, parts.calibrate])
    replace_file(_card_path(out), card.encode())
    save(model, out)
    print(f"{out}: {model.ByteSize()} bytes")


def _windows(arguments: argparse.Namespace) -> None:
    from . import windows

    out = _onnx(arguments.out)
    hospitals = (windows.read(path) for path in arguments.hospitals)
    model = windows.train(hospitals, (windows.read(path) for path in arguments.needed), arguments.seed)
    windows.save(model, out)
    print(f"{out}: {model.ByteSize()} bytes")


def _tests(model, parts, others: dict) -> dict:
    from .evaluate import evaluate
    from .runtime import run

    titles = {
        "Later flows of the same devices": parts.test,
        "Later flows of devices that were held out": parts.test_held_out,
        **others,
    }
    return {
        title: evaluate(rows, run(model, rows.features)) for title, rows in titles.items() if len(rows) >= _LEAST_TEST
    }


def _card_of(model, name: str, source: str, evaluations: dict) -> str:
    from .artifact import metadata
    from .card import render

    return render(name, model.ByteSize(), metadata(model), source or "Nothing was said about it.", evaluations)


def _evaluate(arguments: argparse.Namespace) -> None:
    from .evaluate import evaluate
    from .rows import read
    from .runtime import run

    rows = read(arguments.rows)
    scores = run(_load(arguments.model), rows.features)
    print("\n".join(evaluate(rows, scores, arguments.devices).lines()))


def _verify(arguments: argparse.Namespace) -> None:
    from .rows import read
    from .verify import verify

    rows = read(arguments.rows) if arguments.rows else None
    for line in verify(arguments.model, arguments.trusted, rows):
        print(line)


def _card(arguments: argparse.Namespace) -> None:
    from .artifact import replace_file
    from .evaluate import evaluate
    from .rows import read
    from .runtime import run

    model = _load(arguments.model)
    evaluations = {}
    for path in arguments.rows:
        rows = read(path)
        evaluations[f"On {path.name}"] = evaluate(rows, run(model, rows.features))
    card = _card_of(model, arguments.model.stem, arguments.source, evaluations)
    replace_file(_card_path(arguments.model), card.encode())
    print(_card_path(arguments.model))


def _leakage(arguments: argparse.Namespace) -> int:
    from . import digests
    from .rows import read

    known = digests.read(arguments.digests)
    rows = read(arguments.rows)
    found = digests.leaked(known, rows)
    if len(found):
        first = found[0]
        who = f"{rows.client[first]} to {rows.server[first]} at {rows.time_ns[first]} ns"
        print(f"error: {len(found)} of {len(rows)} rows were learnt, the first is {who}", file=sys.stderr)
        return 1
    print(f"none of {len(rows)} rows is among the {len(known)} that were learnt")
    return 0


def _keygen(arguments: argparse.Namespace) -> None:
    from .signing import keygen

    print(keygen(arguments.key))


def _sign(arguments: argparse.Namespace) -> None:
    from .signing import sign

    print(f"signed by {sign(arguments.model, arguments.key)}")


def _fixture(arguments: argparse.Namespace) -> None:
    from .fixture import make

    for path in make(arguments.out, arguments.keras):
        print(path)


def _load(path: Path):
    import onnx

    from .artifact import metadata

    try:
        model = onnx.load(path, load_external_data=False)
    except OSError as error:
        raise ModelError(f"can't read {path}: {error.strerror}") from error
    except Exception as error:
        raise ModelError(f"{path} is no ONNX model: {error}") from error
    if "wardtap.schema" not in metadata(model):
        raise ModelError(f"{path} is no model of Wardtap's: it has no metadata")
    return model


def _onnx(path: Path) -> Path:
    if path.suffix != ".onnx":
        raise ModelError(f"{path}: the name of a model ends in .onnx")
    return path


def _card_path(model: Path) -> Path:
    return model.with_suffix(".card.md")


def _split(text: str) -> tuple[float, float]:
    try:
        train, calibrate = (float(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: two shares, as 0.6,0.2") from error
    if train <= 0 or calibrate <= 0 or train + calibrate > 1:
        raise argparse.ArgumentTypeError(f"{text}: shares are above 0, and at most 1 together")
    return train, calibrate


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not a number") from error
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share from 0 to below 1")
    return share


def _at_least_one(text: str) -> int:
    try:
        number = int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not an integer") from error
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number
