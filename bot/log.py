"""Logs: one line for each ask, one for each attempt at Claude; pretty on a terminal, JSON elsewhere.

Message text, tokens and secrets are never given to a logger; `scrub` is the last net under that rule.
"""

import logging
import re
import time
from collections.abc import Callable
from typing import TextIO

import structlog

SECRETS = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|sk-ant-[\w-]+|gh[pousr]_\w{20,}|github_pat_\w+|ATATT[\w=-]+"
    r"|(?<=Bearer )[\w.~+/=-]+|(?<=Basic )[\w+/=]+|https://hooks\.slack\.com/\S+"
    r"|(?<=[?&]ticket=)[\w-]+"  # with which a connection to Slack is opened
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"  # who, and by which password, in an address
)
"""Shapes of the secrets we hold ourselves."""


AGAIN_SECONDS = 30.0  # between lines that say the same

log = structlog.get_logger()


class Spell:
    """A time in which something does not go: its beginning, a word twice a minute and its end are logged, not each try.

    Args:
        event: of a line while it lasts.
        over: of the line once it is over.
        clock: seconds that only grow.
    """

    def __init__(
        self, event: str, *, over: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._event, self._over, self._clock = event, over, clock
        self._began = self._told = 0.0
        self._lasts = False

    def failed(self, problem: str) -> None:
        """It did not go."""
        now = self._clock()
        if not self._lasts:
            self._lasts, self._began = True, now
        elif now - self._told < AGAIN_SECONDS:
            return
        self._told = now
        log.warning(self._event, problem=problem, seconds=round(now - self._began))

    def went(self) -> None:
        """It went."""
        if self._lasts:
            self._lasts = False
            log.info(self._over, seconds=round(self._clock() - self._began))


def scrub(text: str) -> str:
    """The text without anything that looks like one of our secrets."""
    return SECRETS.sub("[secret]", text)


def _scrubbed(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return {k: scrub(v) if isinstance(v, str) else v for k, v in event.items()}


def configure(*, level: str, form: str | None, stream: TextIO) -> None:
    """Set up structlog and the standard library's logging for the whole process.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        form: `json` or `pretty`; None decides by whether `stream` is a terminal.
        stream: where lines go.
    """
    pretty = form == "pretty" or (form is None and stream.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[structlog.typing.Processor] = (
        [_scrubbed, structlog.dev.ConsoleRenderer()]
        if pretty
        else [structlog.processors.format_exc_info, _scrubbed, structlog.processors.JSONRenderer()]
    )
    if pretty:
        ending.insert(0, structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        foreign_pre_chain=shared,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # At DEBUG these print request parameters, tokens among them, and what is delivered, with its words. The SDK's client
    # looks at the level of its own logger, no parent's, and would write out each call for nobody.
    logging.getLogger("slack_bolt").setLevel(max(logging.INFO, root.level))  # tells of connections
    for noisy in (
        "slack_sdk",
        "slack_sdk.web.async_base_client",
        "anthropic",
        "httpx2",
        "httpcore2",
        "aiohttp",
        "jira",
        "urllib3",
    ):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
