"""Secrets are hidden by their forms, ordinary code is left as it is, and no line is lost."""

import re
from pathlib import Path

import pytest
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector
from hypothesis import given
from hypothesis import strategies as st

from bot.redaction import (
    KEY_LINES,
    OFF_LOOP_CHARS,
    RULES,
    Redactor,
    hidden,
    hidden_in,
    redacted,
)
from bot.rules import Rules

WORD = "aB3dE6gH9jK2mN5pQ8sT1vW4"  # 24 letters and digits, none of them anybody's
HEX = "0123456789abcdef" * 2
# Put together here, so that nobody's scanner takes this file for a leak.
SAMPLES = {
    "anthropic-key": "sk-" + f"ant-api03-{WORD}",
    "openai-key": "sk-" + f"proj{WORD[:20]}T3Blbk" + f"FJ{WORD[:20]}",
    "aws-key": "AKI" + "A0123456789ABCDEF",
    "atlassian-token": "ATA" + "TT3xFfGF0" + WORD * 2,
    "authorization-header": "Authorization: Bea" + f"rer {WORD}",
    "azure-key": "AccountKey" + "=" + (WORD * 4)[:86] + "==",
    "discord-token": "M" + WORD[:23] + "." + WORD[:6] + "." + (WORD * 2)[:27],
    "github-token": "gh" + "p_" + (WORD * 2)[:36],
    "gitlab-token": "glp" + "at-" + WORD[:20],
    "google-key": "AIz" + "a" + (WORD * 2)[:35],
    "json-web-token": "ey" + "JhbGciOiJIUzI1NiJ9.ey" + f"JzdWIiOiIxIn0.{WORD}",
    "mailchimp-key": HEX + "-us" + "12",
    "npm-token": "//registry.example/:_auth" + "Token=" + "npm_" + (WORD * 2)[:36],
    "pypi-token": "pypi-AgEIcHlwaS5" + "vcmc" + WORD * 3,
    "sendgrid-key": "SG" + "." + WORD[:22] + "." + (WORD * 2)[:43],
    "slack-token": "xox" + "b-1234567890-" + WORD.lower(),
    "square-key": "sq0" + "csp-" + (WORD * 2)[:43],
    "stripe-key": "sk_li" + "ve_" + WORD,
    "telegram-token": "123456789" + ":" + (WORD * 2)[:35],
    "twilio-key": "A" + "C" + HEX,
    "password-in-address": "postgres://shop:" + "hunter2" + "@db.example/shop",
    "assigned-secret": 'password = "' + "correct-horse-7-battery" + '"',
    "named-secret": "DB_PASS" + f"WORD={WORD}",
    "card-number": "4111 1111" + " 1111 1111",
    "bank-account": "DE89 3704 0044" + " 0532 0130 00",
    "social-security-number": "078-05" + "-1120",
    "private-key": "-----BEGIN RSA " + "PRIVATE KEY-----" + WORD + "-----END RSA PRIVATE KEY-----",
}
DETECTORS: list[type[RegexBasedDetector]] = [
    AWSKeyDetector, AzureStorageKeyDetector, BasicAuthDetector, DiscordBotTokenDetector, GitHubTokenDetector, GitLabTokenDetector,
    JwtTokenDetector, MailchimpDetector, NpmDetector, OpenAIDetector, PypiTokenDetector, SendGridDetector, SlackDetector,
    SquareOAuthDetector, StripeDetector, TelegramBotTokenDetector, TwilioKeyDetector,
]  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_each_rule_hides_its_form(name: str) -> None:
    """A secret of each form is hidden with the rule's name in its place, whatever stands around it."""
    secret = SAMPLES[name]
    line = f'  x = f("{secret}")  # see'
    shown = redacted(line if name != "assigned-secret" else f"  {secret}  # see")

    assert f"[redacted: {name}]" in shown
    assert WORD[:12] not in shown
    assert "hunter2" not in shown
    assert secret not in shown
    assert shown.endswith("# see")


@pytest.mark.parametrize("detector", DETECTORS)
def test_what_detect_secrets_knows_is_hidden(detector: type[RegexBasedDetector]) -> None:
    """Nothing that detect-secrets finds in the samples by a form is left, and each of its forms has a sample."""
    looks = detector()
    found = [s for s in SAMPLES.values() if any(looks.analyze_string(s))]

    assert found
    assert not [s for s in found if any(looks.analyze_string(redacted(s)))]


@pytest.mark.parametrize("name", RULES)
def test_a_secret_in_markdown_is_hidden(name: str) -> None:
    """Where a ticket or page was turned into Markdown, its backslashes hide no secret; other lines keep theirs."""
    escaped = re.sub(r"([_*~])", r"\\\1", SAMPLES[name])
    kept, shown = redacted(f"a \\_ line\nit is {escaped} .").split("\n")

    assert kept == "a \\_ line"
    assert f"[redacted: {name}]" in shown
    assert escaped not in shown


def test_only_the_chosen_rules_hold() -> None:
    """A channel may name the rules; what no rule of its names stays."""
    text = f"{SAMPLES['github-token']} {SAMPLES['stripe-key']}"

    assert redacted(text, ["stripe-key"]) == f"{SAMPLES['github-token']} [redacted: stripe-key]"
    assert redacted(text, []) == text
    with pytest.raises(ValueError, match="no redaction rule; there are private-key"):
        Rules(redact=("gpg",))


def test_a_private_key_over_many_lines() -> None:
    """From its beginning to its end every line is hidden, and the lines around it stay."""
    begin, end = (
        "-----BEGIN OPENSSH " + "PRIVATE KEY-----",
        "-----END OPENSSH PRIVATE KEY-----",
    )
    hidden = redacted(f"KEY = '''{begin}\n{WORD}\n\n{WORD}\n{end}'''\nx = 1")

    mark = "[redacted: private-key]"
    assert hidden == f"KEY = '''{mark}\n{mark}\n\n{mark}\n{mark}'''\nx = 1"


def test_private_keys_that_share_a_line() -> None:
    """Of several private keys on one line, as JSON without line ends has them, each is hidden; so is one that goes on."""
    begin, end = "-----BEGIN " + "PRIVATE KEY-----", "-----END " + "PRIVATE KEY-----"
    one, mark = f"{begin}\\n{WORD}\\n{end}", "[redacted: private-key]"

    assert redacted(f'{{"a": "{one}", "b": "{one}"}}') == f'{{"a": "{mark}", "b": "{mark}"}}'
    assert (
        redacted(f"{one} {begin}\n{WORD}\n{end} {one}.") == f"{mark} {mark}\n{mark}\n{mark} {mark}."
    )


@pytest.mark.parametrize(
    "line",
    [
        "aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEX" + "AMPLEKEY",
        "export STRIPE_API_KEY=" + WORD,
        "      POSTGRES_PASSWORD: " + "s3cr3t-pw",
        """curl -H 'authorization: basic """ + WORD + "'",
    ],
)
def test_secrets_without_quotes(line: str) -> None:
    """What stands in a credentials file, an environment or a header without quotes is hidden, its name is left."""
    name, secret = re.split(r"(?<=[=: ])(?=[\w/-]+'?$)", line)

    assert redacted(line).startswith(f"{name}[redacted: ")
    assert secret.strip("'") not in redacted(line)


def test_a_key_without_end_does_not_hide_everything() -> None:
    """After as many lines as a key can have, text is shown again."""
    redactor = Redactor()
    redactor.line("-----BEGIN " + "PRIVATE KEY-----")
    lines = [redactor.line("text") for _ in range(KEY_LINES + 1)]

    assert lines == ["[redacted: private-key]"] * KEY_LINES + ["text"]


@pytest.mark.parametrize(
    "line",
    [
        'password = os.environ["DATABASE_PASSWORD_1"]',
        'token = f"{prefix}-{number}-and-more-of-it-1"',
        "token: str = settings.github_token_2",
        'API_KEY = "<your-api-key-goes-here-1>"',
        'secret = "in-the-safe"',
        'password = "please-enter-the-password-here"',
        "sha256:0287e96f4d26d4149305414d4e3bc32f0dcd0862365a4bddea19d7a1ec38c4fc",
        "https://user@example.com/a:b@c",
        'url = "postgres://${USER}:${PASSWORD}@db/shop"',
        "commit 69f2c5169f2c5169f2c5169f2c5169f2c5169f2c",
        "card = 4111 1111 1111 1112, order 4111111111111112",
        "at 1764107730123456 ms, build 5500.0005.5555.5559",
        "4111111111111111000000",
        "id 00000000-4111-1111-1111-111111111111",
        "account DE88 3704 0044 0532 0130 00",
        "call 000-12-3456 or 987-65-4321, part 078-05-1120-7",
        "MAX_TOKENS=4096, PASSWORD=$DB_PASSWORD_1, TOKEN=<your-token-1-here>, API_KEY=changeme",
        "A TOKEN: see chapter 12 of the manual; Authorization: Bearer YOUR_ACCESS_TOKEN_HERE",
        "import skimage; task-runner-for-everything-we-ever-have = 1",
    ],
)
def test_ordinary_lines_are_left(line: str) -> None:
    """Variables, place-holders, hashes and addresses are no secrets."""
    assert redacted(line) == line


def test_our_own_code_is_left() -> None:
    """In all of Purser's own code nothing is taken for a secret but what is made up to look like one."""
    root = Path(__file__).parent.parent.parent
    sources = [p for p in (root / "bot").rglob("*.py") if "demo" not in p.parts]
    hidden = {p.name: redacted(t) for p in sources if redacted(t := p.read_text("utf-8")) != t}

    assert list(hidden) == []


def test_numbers_in_every_spelling() -> None:
    """A card's number and an account's are hidden with blanks, with dashes and without; of one card of each kind."""
    cards = ["5500-0055-5555-5559", "3782 822463 10005", "6011111111111117", "3530111333300000"]
    text = ", ".join(["4111" + "1111" + "1111" + "1111", *cards, "GB82" + "WEST12345698765432"])

    assert redacted(text) == ", ".join(
        ["[redacted: card-number]"] * 5 + ["[redacted: bank-account]"]
    )


def test_how_many_were_hidden() -> None:
    """Each secret counts once, a private key of many lines too; ordinary text counts for nothing."""
    begin, end = "-----BEGIN " + "PRIVATE KEY-----", "-----END " + "PRIVATE KEY-----"
    key, token = f"{begin}\n{WORD}\n{end}", SAMPLES["github-token"]

    assert hidden_in(redacted(f"{token} {token}\n{key}\nx\n{key}")) == 4
    assert hidden_in("nothing [redacted: by hand]") == 0


async def test_many_texts_at_once() -> None:
    """Several texts are looked through together, each as if it were alone, however long they are."""
    long = f"{SAMPLES['stripe-key']}\n" + "word " * OFF_LOOP_CHARS

    assert await hidden([long, "x"]) == [redacted(long), "x"]
    assert await hidden([SAMPLES["stripe-key"], long], []) == [SAMPLES["stripe-key"], long]


@given(st.lists(st.one_of(st.sampled_from(list(SAMPLES.values())), st.text(max_size=20))))
def test_the_whole_is_as_its_lines(lines: list[str]) -> None:
    """Looking through a text at once hides what looking at line by line hides."""
    text = "\n".join(lines)
    redactor = Redactor()

    assert redacted(text) == "\n".join(redactor.line(line) for line in text.split("\n"))


@given(st.lists(st.one_of(st.sampled_from(list(SAMPLES.values())), st.text(max_size=20))))
def test_lines_stay_where_they_are(lines: list[str]) -> None:
    """However much is hidden, a text has as many lines as before, and hiding again changes nothing."""
    text = "\n".join(re.sub(r"\s", " ", line) for line in lines)
    hidden = redacted(text)

    assert hidden.count("\n") == text.count("\n")
    assert redacted(hidden) == hidden


BETWEEN = st.sampled_from(["", " ", "\t", ", ", "(", ")", '"', "'", "`", "**", "> ", "| ", "=", ": ", ";", "\\", "\n", "[x](", "<", ">", "é", "。", "\u200b", "x = "])  # fmt: skip
SURROUNDINGS = st.tuples(st.lists(BETWEEN, max_size=6), st.text(max_size=12)).map(
    lambda parts: parts[1] + "".join(parts[0])
)
FREE = sorted(
    # What no sign before or behind it makes something else: the others are told from ordinary words by their borders.
    {"anthropic-key", "github-token", "gitlab-token", "slack-token", "stripe-key", "json-web-token", "sendgrid-key", "pypi-token", "private-key"}
)  # fmt: skip


@given(st.sampled_from(FREE), SURROUNDINGS, SURROUNDINGS)
def test_a_secret_is_hidden_in_any_surroundings(name: str, before: str, behind: str) -> None:
    """Whatever stands before and behind it, nothing of the secret's own part is left, and hiding again changes nothing."""
    hidden = redacted(f"{before}{SAMPLES[name]}{behind}")

    assert WORD[:12] not in hidden
    assert redacted(hidden) == hidden


@given(
    st.sampled_from(list(RULES)),
    st.sampled_from([" ", "\n", '"', "`", "(", "<", "|"]),
    st.text(max_size=20),
)
def test_every_form_is_hidden_between_ordinary_signs(name: str, border: str, rest: str) -> None:
    """Each rule finds its form between blanks, quotes, ticks and brackets, whatever else is in the text."""
    secret = SAMPLES[name]
    hidden = redacted(f"{rest}\n{border}{secret}{border}\n{rest}")

    assert secret not in hidden
    assert redacted(hidden) == hidden
