"""How large a picture is, read from its first bytes: PNG, GIF, WebP and JPEG tell it there. Pure."""

SIDE = 8_000  # pixels of a picture's longer side, the most that Claude takes

# Markers of JPEG that begin a frame, whose height and width follow; the others of their row are tables.
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_BARE = frozenset({0x01, *range(0xD0, 0xDA)})  # markers without a length

Size = tuple[int, int]
"""Width and height in pixels."""


def size_of(data: bytes) -> Size | None:
    """The size of a picture; None where its bytes do not tell it."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _pair(data, 16, 4) if data[12:16] == b"IHDR" else None
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _pair(data, 6, 2, "little")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return _jpeg(data) if data.startswith(b"\xff\xd8\xff") else None


def _webp(data: bytes) -> Size | None:
    kind = data[12:16]
    if kind == b"VP8X" and (found := _pair(data, 24, 3, "little")):
        return found[0] + 1, found[1] + 1
    if kind == b"VP8 " and (found := _pair(data, 26, 2, "little")):
        return found[0] & 0x3FFF, found[1] & 0x3FFF
    if kind == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _jpeg(data: bytes) -> Size | None:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1  # padding
        elif marker in _BARE:
            at += 2
        elif marker in _FRAMES:
            found = _pair(data, at + 5, 2)
            return (found[1], found[0]) if found else None
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
    return None


def _pair(data: bytes, at: int, width: int, order: str = "big") -> Size | None:
    """Two numbers that stand behind each other."""
    if len(data) < at + 2 * width:
        return None
    end = at + width
    little = order == "little"
    one, two = data[at:end], data[end : end + width]
    if little:
        one, two = one[::-1], two[::-1]
    return int.from_bytes(one), int.from_bytes(two)
