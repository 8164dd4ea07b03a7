"""The process that reads hostile documents: bytes come in, a title and text go out.

Parsing time and memory are in the hands of whoever wrote the page, and a thread that parses cannot be
stopped. So it is done here, in a process that limits itself and may be killed at any moment. It speaks over
standard input and output, in frames: a length (4 bytes, big endian) and that many bytes. A job is two frames,
its head (JSON) and the document; the answer is one (JSON). What is not expected ends the process.
"""

import codecs
import io
import json
import os
import re
import resource
import struct
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

MEMORY_BYTES = 1024 * 1024 * 1024  # of address space
CPU_SECONDS = 30  # of one job, when nobody kills it earlier
TEXT_CHARS = 1_000_000  # of an answer; what follows is left out
PDF_PAGES = 500  # what follows is left out
SHORT_CHARS = 250  # an extraction under this is doubted
META_BYTES = 2048  # of a document, where its charset may be declared
FRAME_BYTES = 16 * 1024 * 1024  # of one frame, at most
LENGTH = struct.Struct(">I")

_META = re.compile(rb"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What pages call Latin-1 is Windows-1252 in every browser.
_LATIN = frozenset({"iso8859-1", "ascii", "cp1252"})
# Codecs of Python that are no charset of a page; some take quadratic time.
_NO_CHARSET = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MANY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Extract:
    """What a document says: its title (may be empty) and its text, Markdown where it was HTML.

    Of a PDF that is only to be counted, `pages` and whether it is `locked` with a password.
    """

    title: str = ""
    text: str = ""
    pages: int = 0
    locked: bool = False


def decoded(body: bytes, charset: str | None) -> str:
    """Turn a document's bytes into text.

    A byte order mark wins, then the charset that was announced, then the one the document
    declares; one that does not fit is passed over. Without any it is UTF-8, or else Windows-1252.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    declared = _META.search(body[:META_BYTES])
    for name in (charset, declared[1].decode("ascii") if declared else None, "utf-8"):
        codec = _charset(name)
        if codec is None:
            continue
        try:
            return body.decode(codec)
        except (ValueError, LookupError):  # it does not fit, or is a codec but no charset
            continue
    return body.decode("cp1252", "replace")


def _charset(name: str | None) -> str | None:
    try:
        codec = codecs.lookup(name or "").name
    except (LookupError, ValueError):
        return None
    codec = codec.replace("_", "-")
    if codec in _NO_CHARSET:
        return None
    return "cp1252" if codec in _LATIN else codec


def html(body: bytes, charset: str | None, url: str) -> Extract:
    """Read an HTML page: its main part as Markdown, or all of its text when that finds next to nothing."""
    import trafilatura
    from resiliparse.extract.html2text import (  # pyright: ignore[reportMissingModuleSource]
        extract_plain_text,
    )

    source = decoded(body, charset)
    tree = trafilatura.load_html(source)
    title, text = "", ""
    if tree is not None:
        title = tree.findtext(".//title") or ""
        for code in tree.iter("pre", "code"):
            for link in list(code.iter("a")):
                link.drop_tag()  # its address would be written into the code
        text = (
            trafilatura.extract(
                tree,
                url=url,  # makes its links absolute
                fast=True,
                output_format="markdown",
                include_comments=False,
                include_links=True,
                include_tables=True,
            )
            or ""
        )
    if len(text) < SHORT_CHARS:
        plain = extract_plain_text(
            source, main_content=False, preserve_formatting=True, links=False
        )
        text = text if len(text) * 2 > len(plain.strip()) else plain
    return Extract(title, text)


def pdf(body: bytes) -> Extract:
    """Read the text of a PDF; one that is damaged, locked or made of pictures has none."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    title, parts, chars = "", list[str](), 0
    with suppress(PyPdfError, DependencyError, ValueError, LookupError, TypeError, AttributeError):
        reader = PdfReader(io.BytesIO(body))
        if reader.metadata is not None:
            title = str(reader.metadata.title or "")
        for _, page in zip(range(PDF_PAGES), reader.pages, strict=False):
            parts.append(page.extract_text())
            chars += len(parts[-1])
            if chars > TEXT_CHARS:
                break
    return Extract(title, "\n\n".join(parts))


def pages(body: bytes) -> Extract:
    """Count the pages of a PDF; one that is damaged has none."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    with suppress(PyPdfError, DependencyError, ValueError, LookupError, TypeError, AttributeError):
        reader = PdfReader(io.BytesIO(body))
        if reader.is_encrypted and not reader.decrypt(""):
            return Extract(locked=True)
        return Extract(pages=len(reader.pages))
    return Extract()


def extract(kind: str, body: bytes, charset: str | None, url: str = "") -> Extract:
    """Read a document.

    Args:
        kind: "html", "text" or "pdf"; "pages" counts those of a PDF.
        body: the document.
        charset: as announced by its server.
        url: where it came from, for its links.
    """
    if kind == "pages":
        return pages(body)
    if kind == "html":
        found = html(body, charset, url)
    elif kind == "pdf":
        found = pdf(body)
    else:
        found = Extract("", decoded(body, charset))
    return Extract(" ".join(_clean(found.title).split())[:300], _clean(found.text)[:TEXT_CHARS])


def _clean(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode("utf-8")  # half surrogates cannot be stored
    lines = _CONTROL.sub("", whole.replace("\r\n", "\n").replace("\r", "\n"))
    return _MANY_LINES.sub("\n\n", lines).strip()


def framed(payload: bytes) -> bytes:
    """A frame."""
    return LENGTH.pack(len(payload)) + payload


def _read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame; None at the end of the stream."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    size = LENGTH.unpack(head)[0]
    body = stream.read(size) if size <= FRAME_BYTES else b""
    return body if len(body) == size else None


def serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    """Answer jobs one after another until their stream ends."""
    while (head := _read_frame(jobs)) is not None and (body := _read_frame(jobs)) is not None:
        job: dict[str, Any] = json.loads(head)
        _limit_cpu()
        answer = asdict(extract(job["kind"], body, job["charset"], job["url"]))
        answers.write(framed(json.dumps(answer).encode("ascii")))
        answers.flush()


def _limit_cpu() -> None:
    """Give the next job its CPU seconds; the limit counts from the start of the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + CPU_SECONDS
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


def _limit_process() -> None:
    """Little memory, no files to write, no core: what a hostile document could otherwise use."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # a system may not know a limit, or allow less
            resource.setrlimit(kind, (most, most))


def main() -> None:
    """Be the process: take the streams, warm up, serve."""
    answers = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # what a library prints would be read as an answer
    _limit_process()
    extract("html", b"<html><body><p>Warm up.</p></body></html>", None)
    pdf(b"")
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
