"""The key that signs the audit's chains on PostgreSQL, as the two pads from which SQL makes an HMAC-SHA-256.

With a key of the operator's, which all replicas share, the pads are known to our own sessions alone. Without one, a
key made with the schema lies in the database itself: it shows accidents, and not who may write everything there.
"""

import hashlib

BLOCK_BYTES = 64  # of SHA-256


def pads(key: bytes) -> tuple[bytes, bytes]:
    """The inner and the outer pad of a key (RFC 2104)."""
    block = (key if len(key) <= BLOCK_BYTES else hashlib.sha256(key).digest()).ljust(
        BLOCK_BYTES, b"\0"
    )
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)
