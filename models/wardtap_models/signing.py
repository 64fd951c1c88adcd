"""Signatures of manifests (Ed25519, RFC 8032)."""

import json
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import ModelError
from .artifact import read_manifest, write_manifest


def canonical(manifest: dict) -> bytes:
    """What is signed: the manifest without its signature, keys sorted, no spaces."""
    signed = {key: value for key, value in manifest.items() if key != "signature"}
    return json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def keygen(path: Path) -> str:
    """Makes a private key, for the owner's eyes only; returns the public key."""
    key = Ed25519PrivateKey.generate()
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ModelError(f"{path} exists: a key is never overwritten") from error
    except OSError as error:
        raise ModelError(f"can't write {path}: {error.strerror}") from error
    with os.fdopen(file, "w") as out:
        out.write(key.private_bytes_raw().hex() + "\n")
    return _public(key)


def sign(model: Path, key_file: Path) -> str:
    """Signs a model's manifest; returns the public key."""
    try:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key_file.read_text().strip()))
    except OSError as error:
        raise ModelError(f"can't read {key_file}: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{key_file} is no private key: 64 hexadecimal digits, as keygen writes them") from error
    manifest = read_manifest(model) | {"key": _public(key)}
    manifest["signature"] = key.sign(canonical(manifest)).hex()
    write_manifest(model, manifest)
    return manifest["key"]


def check(manifest: dict, trusted: list[str]) -> str | None:
    """The key that signed the manifest, None where nobody did.

    Raises ModelError for a wrong signature, or where keys are trusted and none of them signed it.
    """
    signature, key = manifest.get("signature"), manifest.get("key")
    if signature is None:
        if trusted:
            raise ModelError("the manifest is not signed, and keys are named that have to")
        return None
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), canonical(manifest))
    except (InvalidSignature, ValueError, TypeError) as error:
        raise ModelError("the manifest's signature is wrong: it was changed after it was signed") from error
    if trusted and key not in trusted:
        raise ModelError(f"the manifest is signed by {key}, which is not among the trusted keys")
    return key


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
