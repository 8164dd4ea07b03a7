"""What goes wrong when the web is read: each way has a name and one general sentence.

The sentences are told to whoever asked for the page. None says whether a port was open, which
address a name had, or what a foreign library complained of: that would map a private network.
"""

_WORDS = {
    401: "sign-in needed",
    403: "forbidden",
    404: "not found",
    410: "gone",
    429: "too many requests",
    503: "busy",
}


class WebProblem(Exception):
    """A page was not read. The message is one sentence for the reader."""

    sentence = "The page could not be read."

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or self.sentence)


class BadUrl(WebProblem):
    """This is not a web address ..."""

    sentence = (
        "This is not a web address that can be opened; a plain http or https address is needed."
    )


class NotAllowed(WebProblem):
    """This address is not open ..."""

    sentence = (
        "This address is not open to web reading; only public pages that the rules permit are read."
    )


class Unreachable(WebProblem):
    """The page could not be reached ..."""

    sentence = "The page could not be reached, or its address is not open to web reading."


class TooSlow(WebProblem):
    """The page took too long ..."""

    sentence = "The page took too long to load or to read; try another page."


class TooLarge(WebProblem):
    """The page is larger than ..."""

    sentence = "The page is too large to be read; try a smaller one."


class NotText(WebProblem):
    """The address does not hold text ..."""

    sentence = "The address does not hold text; only HTML, plain text, JSON, XML and PDF are read."


class TooManyRedirects(WebProblem):
    """The page leads from one address to another ..."""

    sentence = "The page leads from one address to another without end; open the final address."


class Unreadable(WebProblem):
    """The page holds no text that can be read ..."""

    sentence = "The page was loaded but holds no text that can be read; it may be empty, damaged or made by scripts."


class NoSuchPage(WebProblem):
    """There is no page N; the text has M."""

    def __init__(self, page: int, pages: int) -> None:
        held = "1 page" if pages == 1 else f"{pages} pages"
        super().__init__(f"There is no page {page}; the text has {held}, counted from 1.")
        self.pages = pages


class HttpStatus(WebProblem):
    """The server answered N (words) ...

    Attributes:
        status: the HTTP status.
    """

    def __init__(self, status: int) -> None:
        word = _WORDS.get(status, "an error" if status >= 400 else "no page")
        super().__init__(f"The server answered {status} ({word}) instead of the page.")
        self.status = status
