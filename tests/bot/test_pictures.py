"""A picture's size is read from its bytes, and garbage breaks nothing."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pictures import Size, size_of

Make = Callable[[int, int], bytes]


def png(width: int, height: int) -> bytes:
    """The beginning of a PNG."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height)


def gif(width: int, height: int) -> bytes:
    """The beginning of a GIF."""
    return b"GIF89a" + struct.pack("<HH", width, height)


def jpeg(width: int, height: int) -> bytes:
    """A JPEG's head: a comment and a table of quantities come before the frame."""
    other = b"\xff\xe0\x00\x06abcd" + b"\xff\xdb\x00\x04ab"
    return b"\xff\xd8" + other + b"\xff\xc2\x00\x11\x08" + struct.pack(">HH", height, width)


def webp(width: int, height: int) -> bytes:
    """The beginning of an extended WebP."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + sides


def lossless(width: int, height: int) -> bytes:
    """The beginning of a lossless WebP."""
    bits = (width - 1) | (height - 1) << 14
    return b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + bits.to_bytes(4, "little")


def lossy(width: int, height: int) -> bytes:
    """The beginning of a lossy WebP."""
    return b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0abc\x9d\x01\x2a" + struct.pack("<HH", width, height)


@pytest.mark.parametrize("make", [png, gif, jpeg, webp, lossless, lossy])
@pytest.mark.parametrize("size", [(1, 1), (640, 480), (9_001, 17)])
def test_each_format_tells_its_size(make: Make, size: Size) -> None:
    """Width and height, in this order, from the first bytes alone."""
    data = make(*size)

    assert size_of(data) == size
    assert size_of(data + b"more") == size
    assert size_of(data[:-1]) in (None, size)


@given(st.sampled_from([png, gif, jpeg, webp, lossless, lossy]), st.binary(max_size=40))
def test_garbage_breaks_nothing(make: Make, data: bytes) -> None:
    """Whatever follows a format's first bytes gives a size or none."""
    for start in (make(3, 4)[:12], b"\xff\xd8\xff", b""):
        found = size_of(start + data)

        assert found is None or len(found) == 2
