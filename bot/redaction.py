"""Secrets in text, hidden before the text leaves for Claude: by their well-known forms. Pure, and always the same.

A rule has a name that the policy's `redact` can pick. What is hidden stands as `[redacted: name]`, so that its line can
still be talked about. Forms that anything could have (a long random word) are hidden only where they are assigned to
something that is called a secret; numbers of cards and accounts only where their check digits are right.
"""

import asyncio
import re
from collections.abc import Callable, Collection, Mapping

OFF_LOOP_CHARS = 20_000  # of a text, beyond which looking through it would hold up other asks
KEY_LINES = 200  # of a private key, at most: what follows a beginning without an end is shown again

_PRIVATE_KEY = "private-key"  # pragma: allowlist secret
_BEGIN = r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
_END = re.compile(r"-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
_NAMED = (  # as environments, .env and Compose files have it: in capitals, and mostly without quotes
    r"(?<![A-Za-z0-9_])[A-Z0-9_]{0,80}(?:PASSW(?:OR)?D|SECRET|TOKEN|(?:API|ACCESS|PRIVATE|SECRET)_?KEY|CREDENTIALS?)"
    r"""(?:=|:[ ]{1,4})(?P<value>(?=[^"'\s$<>{}()\[\]]*\d)(?=[^"'\s$<>{}()\[\]]*[A-Za-z])[^"'\s$<>{}()\[\]]{8,})"""
)
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
        r"""|(?i:aws.{0,20}?(?:key|secret|token).{0,20}?(?:["']|[:=]\s{0,4}))(?P<value>[0-9a-zA-Z/+]{40})(?![\w/+=])"""
    ),
    "atlassian-token": re.compile(r"AT[AC]TT3[\w=-]{20,}"),
    "authorization-header": re.compile(
        r"""(?i:authorization["']?\s{0,4}[:=]\s{0,4}["']?(?:bearer|basic|token)\s{1,4})"""
        r"(?P<value>(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,})"
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
    "named-secret": re.compile(_NAMED),
    "card-number": re.compile(
        r"(?<![\w.+-])(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6(?:011|4[4-9]\d|5\d\d)|3(?:[4-8]\d|0[0-5])\d)"
        r"(?:[ -]?\d){10,12}(?![\w-]|[ .]\d)"
    ),
    "bank-account": re.compile(r"(?<![\w-])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![\w-])"),
    "social-security-number": re.compile(
        r"(?<![\w.-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-]|\.\d)"
    ),
}  # fmt: skip

# Of what a rule finds, something that is looked for much faster than by the rule: one of these words in the text without
# regard to case, or the pattern. Most texts have none of them; a rule that is not named here always looks itself.
_SIGNS: Mapping[str, tuple[str, ...] | re.Pattern[str]] = {
    "openai-key": ("sk-",),
    "aws-key": ("a3t", "abia", "acca", "akia", "asia", "aws"),
    "atlassian-token": ("atatt3", "atctt3"),
    "authorization-header": ("authorization",),
    "gitlab-token": ("gl", "gr1348941"),
    "google-key": ("aiza", "ya29."),
    "mailchimp-key": ("-us",),
    "npm-token": ("npm_", ":_authtoken="),
    "slack-token": ("xox", "xapp-", "hooks.slack.com"),
    "stripe-key": ("k_live_", "k_test_", "whsec_"),
    "telegram-token": re.compile(r"\d{8,10}:"),
    "assigned-secret": ("passw", "secret", "token", "key", "cred"),
    "named-secret": ("passw", "secret", "token", "key", "cred"),
    "card-number": re.compile(r"\d(?:[ -]?\d){12}"),
    "bank-account": re.compile(r"[A-Z][A-Z]\d\d"),
    "social-security-number": re.compile(r"\d{3}-\d\d-\d"),
}


def _luhn(number: str) -> bool:
    """Whether the last digit of a card's number fits the others."""
    digits = [int(sign) for sign in number if sign.isdigit()]
    twice = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(twice)) % 10 == 0


def _iban(number: str) -> bool:
    """Whether the check digits of a bank account fit the rest."""
    bare = number.replace(" ", "")
    return int("".join(str(int(sign, 36)) for sign in bare[4:] + bare[:4])) % 97 == 1


_CHECKS: Mapping[str, Callable[[str], bool]] = {"card-number": _luhn, "bank-account": _iban}
_ESCAPED = re.compile(r"\\([_*.:/+=~#-])")
_MARK = re.compile(r"\[redacted: (" + "|".join(RULES) + r")\]")


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
        text = self._by_rules(text)
        bare = _bare(text)
        return text if bare == text or (shown := self._by_rules(bare)) == bare else shown

    def _by_rules(self, text: str) -> str:
        for name, rule in self._rules:
            text = self._private_key(text) if name == _PRIVATE_KEY else _without(text, name, rule)
        return text

    def _private_key(self, text: str) -> str:
        shown = ""
        while begin := RULES[_PRIVATE_KEY].search(text):
            shown += text[: begin.start()] + _hidden(_PRIVATE_KEY)
            end = _END.search(text, begin.end())
            if end is None:
                self._key_lines = KEY_LINES
                return shown
            text = text[end.end() :]
        return shown + text


def redacted(text: str, names: Collection[str] | None = None) -> str:
    """A whole text with its secrets hidden; its lines stay where they are."""
    # Most texts have none: that is seen faster of the whole than line by line.
    bare, folded = _bare(text), text.casefold()
    found = [
        name
        for name, rule in RULES.items()
        if (names is None or name in names)
        and (_has_sign(name, text, folded) or bare != text)
        and (rule.search(text) or (bare != text and rule.search(bare)))
    ]
    return "\n".join(map(Redactor(found).line, text.split("\n"))) if found else text


async def hidden(texts: Collection[str], names: Collection[str] | None = None) -> list[str]:
    """Texts with their secrets hidden; many characters are looked through beside the loop."""

    def hide() -> list[str]:
        return [redacted(text, names) for text in texts]

    return hide() if sum(map(len, texts)) < OFF_LOOP_CHARS else await asyncio.to_thread(hide)


def hidden_in(text: str) -> int:
    """How many secrets were hidden in a text; the lines of one private key are one."""
    count, in_key = 0, False
    for line in text.split("\n") if "[redacted: " in text else ():
        marks = _MARK.findall(line)
        keys = marks.count(_PRIVATE_KEY)
        count += len(marks) - (keys > 0 and in_key)
        in_key = keys > 0
    return count


def _bare(text: str) -> str:
    """A text without Markdown's backslashes, which tickets and pages come with: they tear a key apart."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def _has_sign(name: str, text: str, folded: str) -> bool:
    """Whether there may be something for a rule; `folded` is the text without regard to case."""
    signs = _SIGNS.get(name, ("",))
    if isinstance(signs, re.Pattern):
        return signs.search(text) is not None
    return any(sign in folded for sign in signs)


def _without(text: str, name: str, rule: re.Pattern[str]) -> str:
    check = _CHECKS.get(name)

    def hide(found: re.Match[str]) -> str:
        value = found.groupdict().get("value")
        whole = found[0]
        if check is not None and not check(whole):
            return whole
        return whole.replace(value, _hidden(name)) if value else _hidden(name)

    return rule.sub(hide, text)


def _hidden(name: str) -> str:
    return f"[redacted: {name}]"
