"""The `jira` library as Purser uses it: no call at construction, version 3, and JSON instead of its objects."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any, cast

from jira import JIRA

from integrations.jira_errors import NOT_JIRA, JiraBroken, JiraSlow, JiraUnknown
from integrations.jira_session import DeadlineSession


class Client(JIRA):
    """One connection to Jira Cloud, for one thread at a time, inside `until`.

    The library's objects are left aside: they turn each part of a document into an object, and its
    own reading of JSON writes a body that is none into the log.
    """

    def __init__(
        self, *, api_url: str, email: str, token: str, proxy: str | None, cafile: Path | None
    ) -> None:
        super().__init__(
            server=api_url,
            # As bytes: requests takes text for Latin-1.
            basic_auth=(email.encode(), token.encode()),  # pyright: ignore[reportArgumentType]
            options={"rest_api_version": "3", "verify": str(cafile) if cafile else True},
            get_server_info=False,
            logging=False,
            max_retries=0,
            proxies={"https": proxy} if proxy else None,
        )
        self._session = DeadlineSession(self._session)

    def read(self, path: str, **query: str | int) -> Mapping[str, Any]:
        """GET an object below /rest/api/3.

        Raises:
            JiraProblem: there is none.
        """
        return _object(self._session.get(self._get_url(path), params=query).content)

    def agile(self, path: str, **query: str | int) -> Mapping[str, Any]:
        """GET an object below /rest/agile/1.0.

        Raises:
            JiraProblem: there is none.
        """
        url = self._get_url(path, base=self.AGILE_BASE_URL)
        return _object(self._session.get(url, params=query).content)

    def query(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """POST a question below /rest/api/3 that changes nothing.

        Raises:
            JiraProblem: there is no answer.
        """
        return _object(self._session.post(self._get_url(path), data=json.dumps(body)).content)

    def rows(self, path: str, **query: str | int) -> Sequence[Any]:
        """GET a list below /rest/api/3.

        Raises:
            JiraProblem: there is none.
        """
        found = _json(self._session.get(self._get_url(path), params=query).content)
        if not isinstance(found, list):
            raise JiraBroken(NOT_JIRA)
        return cast("list[Any]", found)

    def file(self, path: str, **query: str | int) -> bytes:
        """GET a file below /rest/api/3.

        Raises:
            JiraProblem: there is none.
        """
        return self._session.get(self._get_url(path), params=query).content

    def change(
        self, method: str, path: str, body: Mapping[str, Any] | None, begun: Event
    ) -> Mapping[str, Any]:
        """Change something below /rest/api/3, once; {} where Jira answers nothing.

        Args:
            method: POST, PUT or DELETE.
            path: of what is changed.
            body: what is sent.
            begun: set before anything is sent.

        Raises:
            JiraUnknown: it was sent, and its answer was lost.
            JiraProblem: nothing was changed.
        """
        begun.set()
        sent = None if body is None else json.dumps(body)
        try:
            told = self._session.request(method, self._get_url(path), data=sent).content
            return _object(told) if told else {}
        except (JiraBroken, JiraSlow) as lost:
            if lost.unsent:
                raise
            raise JiraUnknown from None


def _object(body: bytes) -> Mapping[str, Any]:
    found = _json(body)
    if not isinstance(found, dict):
        raise JiraBroken(NOT_JIRA)
    return found


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise JiraBroken(NOT_JIRA) from None
