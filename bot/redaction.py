"""Secrets in text from elsewhere, hidden before the text leaves for Claude: by their well-known forms. Pure.

A rule has a name that the policy's `redact` can pick. What is hidden stands as `[redacted: name]`, so that its line can
still be talked about. Forms that anything could have (a long random word) are hidden only where they are assigned to
something that is called a secret.
"""

import re
from collections.abc import Collection, Mapping

KEY_LINES = 200  # of a private key, at most: what follows a beginning without an end is shown again

_PRIVATE_KEY = "private-key"  # pragma: allowlist secret
_BEGIN = r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
_END = re.compile(r"-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
_ASSIGNED = (
    r"""(?i:passw(?:or)?d|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)["']?\s{0,4}"""
    r"""(?::=|=>|[:=])\s{0,4}["'](?P<value>(?=[^"'\s]*\d)(?=[^"'\s]*[A-Za-z])[^"'\s$<>{}()]{16,})["']"""
)

RULES: Mapping[str, re.Pattern[str]] = {
    _PRIVATE_KEY: re.compile(_BEGIN),
    "anthropic-key": re.compile(r"sk-ant-[\w-]{16,}"),
    "openai-key": re.compile(r"(?<![\w-])sk-(?!ant-)(?=[\w-]*\d)[\w-]{32,}"),
    "aws-key": re.compile(
        r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}"
        r"""|(?i:aws.{0,20}?(?:key|secret|token).{0,20}?["'])(?P<value>[0-9a-zA-Z/+]{40})["']"""
    ),
    "azure-key": re.compile(r"AccountKey=(?P<value>[A-Za-z0-9+/=]{80,})"),
    "discord-token": re.compile(r"[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,}"),
    "github-token": re.compile(r"gh[pousr]_\w{36,}|github_pat_\w{22,}"),
    "gitlab-token": re.compile(r"gl(?:pat|dt|ft|soat|rt|cbt|ptt|oas)-[\w-]{20,}|GR1348941[\w-]{20,}"),
    "google-key": re.compile(r"AIza[\w-]{35}|ya29\.[\w-]{20,}"),
    "json-web-token": re.compile(r"eyJ[\w-]{8,}\.[\w=-]{8,}(?:\.[\w=-]*)?"),
    "mailchimp-key": re.compile(r"\b[0-9a-f]{32}-us\d{1,2}\b"),
    "npm-token": re.compile(r"npm_[A-Za-z0-9]{36}|:_authToken=\s*(?P<value>[\w-]{20,})"),
    "pypi-token": re.compile(r"pypi-[\w-]{70,}"),
    "sendgrid-key": re.compile(r"SG\.[\w-]{22}\.[\w-]{43}"),
    "slack-token": re.compile(
        r"xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|https://hooks\.slack\.com/(?:services|workflows)/[\w/]{20,}"
    ),
    "square-key": re.compile(r"sq0(?:csp|atp)-[\w-]{22,}"),
    "stripe-key": re.compile(r"[rs]k_(?:live|test)_[0-9a-zA-Z]{16,}|whsec_[\w+/=]{16,}"),
    "telegram-token": re.compile(r"\b\d{8,10}:[\w-]{35}\b"),
    "twilio-key": re.compile(r"\b(?:AC|SK)[a-f0-9]{32}\b"),
    "password-in-address": re.compile(
        r"://[^:/?#\[\]@\s\"'<>{}$]{0,80}:(?P<value>[^:/?#\[\]@\s\"'<>{}$]{3,200})@"
    ),
    "assigned-secret": re.compile(_ASSIGNED),
}  # fmt: skip


class Redactor:
    """Hides secrets, line by line of one text in its order, so that no text is too long for it.

    Args:
        names: of the rules that hold; None is all.
    """

    def __init__(self, names: Collection[str] | None = None) -> None:
        self._rules = [(n, rule) for n, rule in RULES.items() if names is None or n in names]
        self._key_lines = 0  # of a private key that goes on, still to be hidden

    def line(self, text: str) -> str:
        """A line with its secrets hidden."""
        if self._key_lines:
            self._key_lines -= 1
            end = _END.search(text)
            if end is None:
                return _hidden(_PRIVATE_KEY) if text.strip() else text
            self._key_lines = 0
            text = _hidden(_PRIVATE_KEY) + text[end.end() :]
        for name, rule in self._rules:
            text = self._private_key(text) if name == _PRIVATE_KEY else _without(text, name, rule)
        return text

    def _private_key(self, text: str) -> str:
        begin = RULES[_PRIVATE_KEY].search(text)
        if begin is None:
            return text
        end = _END.search(text, begin.end())
        if end is None:
            self._key_lines = KEY_LINES
            return text[: begin.start()] + _hidden(_PRIVATE_KEY)
        return text[: begin.start()] + _hidden(_PRIVATE_KEY) + text[end.end() :]


def redacted(text: str, names: Collection[str] | None = None) -> str:
    """A whole text with its secrets hidden; its lines stay where they are."""
    return "\n".join(map(Redactor(names).line, text.split("\n")))


def _without(text: str, name: str, rule: re.Pattern[str]) -> str:
    def hide(found: re.Match[str]) -> str:
        value = found.groupdict().get("value")
        whole = found[0]
        return whole.replace(value, _hidden(name)) if value else _hidden(name)

    return rule.sub(hide, text)


def _hidden(name: str) -> str:
    return f"[redacted: {name}]"
