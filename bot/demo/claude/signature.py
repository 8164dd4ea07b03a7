"""Signatures of thinking blocks: bound to the model, the account and everything said before.

A block that comes back after its text, the system, the tools or an earlier message changed
is refused. A block of another model is dropped in silence, as the API does.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any


def sign(key: bytes, model: str, plain: bytes, thinking: str) -> str:
    """Give the signature of a thinking block that stands after the prefix `plain`."""
    return base64.b64encode(model.encode() + b"\0" + _mac(key, model, plain, thinking)).decode()


def readable(block: Mapping[str, Any], model: str) -> bool:
    """Tell whether this model wrote the block; what is no signature at all is for `genuine`."""
    writer = _writer(block)
    return writer is None or writer == model


def genuine(key: bytes, model: str, plain: bytes, block: Mapping[str, Any]) -> bool:
    """Tell whether the block is ours and stands where it stood."""
    ours = sign(key, model, plain, str(block.get("thinking", "")))
    return hmac.compare_digest(ours.encode(), str(block.get("signature", "")).encode())


def _mac(key: bytes, model: str, plain: bytes, thinking: str) -> bytes:
    return hmac.new(key, model.encode() + plain + thinking.encode(), sha256).digest()


def _writer(block: Mapping[str, Any]) -> str | None:
    try:
        raw = base64.b64decode(str(block.get("signature", "")), validate=True)
        name, found, _ = raw.partition(b"\0")
        return name.decode() if found and name.startswith(b"claude-") else None
    except (binascii.Error, ValueError):
        return None
