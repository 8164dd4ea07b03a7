"""The pages that are made and not written: odd encodings, hostile markup, bombs, a PDF."""

import gzip
import json
import zlib
from collections.abc import Callable
from enum import StrEnum

from aiohttp import web

ATTRIBUTES = 100_000  # attributes of one element on the hostile page
NESTED = 50_000  # <div> in <div>
BOMB_BYTES = 200 * 1024 * 1024  # what the bomb unfolds to
WORDS = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. Preis: 12,50 £."
CYRILLIC = "Съешь же ещё этих мягких французских булок, да выпей чаю."


class Page(StrEnum):
    """Every path of the small web."""

    INDEX = "/"
    ARTICLE = "/articles/idempotency"
    SECOND_ARTICLE = "/articles/load-tests"
    DOCS = "/docs/retries"
    LONG = "/articles/long"
    JSON = "/api/status.json"
    TEXT = "/robots.txt"
    PDF = "/files/runbook.pdf"
    EMPTY = "/empty"
    REDIRECT = "/old-article"
    REDIRECT_CHAIN = "/hop/3"
    REDIRECT_LONG = "/hop/20"
    REDIRECT_LOOP = "/loop"
    REDIRECT_PRIVATE = "/to-private"
    REDIRECT_METADATA = "/to-metadata"
    REDIRECT_NAME = "/to-localhost-name"
    REDIRECT_SCHEME = "/to-file"
    REDIRECT_ELSEWHERE = "/elsewhere"
    REDIRECT_NOWHERE = "/no-location"
    SLOW = "/slow"
    SLOW_BODY = "/slow-body"
    DRIP = "/drip"
    ENDLESS = "/endless"
    BOMB = "/bomb"
    DEFLATE_BOMB = "/deflate-bomb"
    BROKEN_GZIP = "/broken-gzip"
    ATTRIBUTES = "/hostile/attributes"
    NESTED = "/hostile/nested"
    WRONG_TYPE = "/wrong-type"
    NO_TYPE = "/no-type"
    BINARY = "/files/blob.bin"
    PICTURE = "/files/pixel.png"
    MISSING = "/missing"
    BROKEN = "/broken"
    BUSY = "/busy"
    LOGIN = "/wiki/private"
    FORBIDDEN = "/forbidden"
    LATIN = "/charset/latin-1"
    LATIN_META = "/charset/latin-1-meta"
    UTF16 = "/charset/utf-16"
    CYRILLIC = "/charset/koi8-r"
    LYING = "/charset/lying"
    UNKNOWN_CHARSET = "/charset/unknown"
    INJECTION = "/articles/kitchen"
    CUT = "/cut"
    COOKIE = "/cookie"
    SCRIPT_ONLY = "/app"


def page(body: str, *, head: str = "") -> web.Response:
    """An HTML page around a body."""
    text = (
        f"<!doctype html><html><head><title>A page</title>{head}</head><body>{body}</body></html>"
    )
    return web.Response(text=text, content_type="text/html")


def _bytes(body: bytes, kind: str, **headers: str) -> web.Response:
    return web.Response(body=body, headers={"Content-Type": kind, **headers})


def _status() -> web.Response:
    state = {
        "status": "degraded",
        "parts": [
            {"name": "shop", "state": "up"},
            {"name": "checkout", "state": "slow", "p95_ms": 1140},
            {"name": "payments", "state": "up"},
        ],
        "since": "2026-11-20T14:00:00Z",
    }
    return _bytes(json.dumps(state, indent=2).encode(), "application/json")


def _attributes() -> web.Response:
    attributes = " ".join(f'a{n}="{n}"' for n in range(ATTRIBUTES))
    return page(f"<article><p {attributes}>The needle is behind the attributes.</p></article>")


def _nested() -> web.Response:
    return page("<div>" * NESTED + "The needle is at the bottom." + "</div>" * NESTED)


def _long() -> web.Response:
    paragraphs = "".join(
        f"<p>Paragraph {n} of a long report says that warehouse {n % 17} moved {n * 31} parcels.</p>"
        for n in range(1, 3001)
    )
    return page(f"<article><h1>Every parcel of the year</h1>{paragraphs}<p>The end.</p></article>")


def _gzipped() -> web.Response:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return _bytes(_packed(packer), "text/html", **{"Content-Encoding": "gzip"})


def _deflated() -> web.Response:
    return _bytes(_packed(zlib.compressobj(9)), "text/html", **{"Content-Encoding": "deflate"})


def _packed(packer: "zlib._Compress") -> bytes:
    piece = b"<p>nothing</p>" * 74_899  # about 1 MiB
    pieces = [packer.compress(piece) for _ in range(BOMB_BYTES // len(piece))]
    return b"".join([*pieces, packer.flush()])


def _broken_gzip() -> web.Response:
    packed = gzip.compress(b"<p>This page was packed badly.</p>" * 50)
    return _bytes(packed[:-12] + b"\0" * 12, "text/html", **{"Content-Encoding": "gzip"})


def _told(status: int, sentence: str, **headers: str) -> web.Response:
    text = f"<html><head><title>{status}</title></head><body><h1>{sentence}</h1></body></html>"
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def _encoded(charset: str, kind: str, *, text: str = WORDS, head: str = "") -> web.Response:
    body = f"<html><head><title>Charset</title>{head}</head><body><article><p>{text}</p></article></body></html>"
    return _bytes(body.encode(charset), kind)


def _runbook() -> web.Response:
    lines = [
        "Runbook: the payment provider is down",
        "1. Look at the status page: is it checkout or payments?",
        "2. The person on call switches PAY_ROUTE to the second provider.",
        "3. Nobody retries by hand before the keys are 15 minutes old.",
    ]
    return _bytes(pdf([lines, ["Page two: phone numbers are in the safe."]]), "application/pdf")


def pdf(pages: list[list[str]]) -> bytes:
    """A small valid PDF with one line of Latin text under another.

    Args:
        pages: The lines of each page.
    """
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, lines in enumerate(pages):
        shown = " T* ".join(f"({_escaped(line)}) Tj" for line in lines)
        stream = f"BT /F1 12 Tf 16 TL 56 780 Td {shown} ET"
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    body = b"%PDF-1.4\n"
    offsets: list[int] = []
    for number, text in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    tail = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return body + f"{tail}startxref\n{len(body)}\n%%EOF\n".encode("latin-1")


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c6368000000820081dd436af40000000049454e44ae426082"
)
MADE: dict[Page, Callable[[], web.Response]] = {
    Page.JSON: _status,
    Page.TEXT: lambda: _bytes(b"User-agent: *\nDisallow: /wiki/\n", "text/plain"),
    Page.PDF: _runbook,
    Page.EMPTY: lambda: _bytes(b"", "text/html"),
    Page.LONG: _long,
    Page.BOMB: _gzipped,
    Page.DEFLATE_BOMB: _deflated,
    Page.BROKEN_GZIP: _broken_gzip,
    Page.ATTRIBUTES: _attributes,
    Page.NESTED: _nested,
    Page.WRONG_TYPE: lambda: _bytes(b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 8, "text/html"),
    Page.NO_TYPE: lambda: _bytes(b"<html><body><p>No type was said.</p></body></html>", ""),
    Page.BINARY: lambda: _bytes(bytes(range(256)) * 64, "application/octet-stream"),
    Page.PICTURE: lambda: _bytes(PIXEL, "image/png"),
    Page.BROKEN: lambda: _told(500, "Traceback (most recent call last): KeyError 'price'"),
    Page.BUSY: lambda: _told(503, "Come back later", **{"Retry-After": "120"}),
    Page.FORBIDDEN: lambda: _told(403, "Are you a robot?"),
    Page.REDIRECT_NOWHERE: lambda: web.Response(status=302),
    Page.LATIN: lambda: _encoded("latin-1", "text/html"),
    Page.LATIN_META: lambda: _encoded("latin-1", "text/html", head='<meta charset="iso-8859-1">'),
    Page.UTF16: lambda: _encoded("utf-16", "text/html"),
    Page.CYRILLIC: lambda: _encoded("koi8-r", "text/html; charset=koi8-r", text=CYRILLIC),
    Page.LYING: lambda: _encoded("latin-1", "text/html; charset=utf-8"),
    Page.UNKNOWN_CHARSET: lambda: _encoded("utf-8", "text/html; charset=x-klingon"),
}
