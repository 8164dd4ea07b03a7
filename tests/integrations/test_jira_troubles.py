"""Jira down, slow, dripping, refusing: each call ends within its deadline with one sentence, and threads go."""

import asyncio
import base64
import logging
import threading
import traceback
from collections.abc import AsyncIterator
from email.utils import formatdate

import jira.exceptions
import pytest
import requests.exceptions
import urllib3.exceptions
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.jira import JiraStandIn
from bot.demo.loopback import Troubles
from integrations.jira import (
    Jira,
    JiraBroken,
    JiraBusy,
    JiraNotFound,
    JiraProblem,
    JiraRefused,
    JiraRejected,
    JiraSlow,
)
from integrations.jira_errors import of_answer, retry_after
from integrations.jira_session import FOREIGN
from tests.integrations.jira_worlds import (
    SECONDS,
    SHORT,
    client,
    elsewhere,
    happened,
    standing_in,
    threads,
)

HANG = 3600.0  # seconds; the stand-in lets go when it stops
ARRIVING = 1.0  # seconds of a call that has to be heard before it runs out of time


@pytest.fixture
async def site() -> AsyncIterator[JiraStandIn]:
    """Jira with its seeded company."""
    async with standing_in() as made:
        yield made


@pytest.fixture
async def reader(site: JiraStandIn) -> AsyncIterator[Jira]:
    """Our client."""
    made = client(site)
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        (Troubles(hang=HANG), JiraSlow, "in time"),
        (Troubles(late=HANG), JiraSlow, "in time"),
        (Troubles(drip=0.02), JiraSlow, "in time"),
        (Troubles(drip=0.02, on="comment"), JiraSlow, "in time"),
        (Troubles(refuse=True), JiraBroken, "cannot be reached"),
        (Troubles(reset=True), JiraBroken, "cannot be reached"),
        (Troubles(cut=True), JiraBroken, "broke off"),
        (Troubles(cut=True, on="comment"), JiraBroken, "broke off"),
        (Troubles(status=200, html=True), JiraBroken, "JIRA_API_URL"),
        (Troubles(status=302, html=True), JiraBroken, "JIRA_API_URL"),
        (Troubles(status=404, html=True), JiraBroken, "JIRA_API_URL"),
        (Troubles(status=502, html=True), JiraBroken, "out of order"),
        (Troubles(status=500), JiraBroken, "answered 500"),
        (Troubles(status=503), JiraBroken, "answered 503"),
        (Troubles(status=504), JiraBroken, "answered 504"),
        (Troubles(status=401), JiraRefused, "JIRA_API_TOKEN"),
        (Troubles(status=403), JiraRefused, "does not permit"),
        (Troubles(status=403, html=True), JiraRefused, "does not permit"),
        (Troubles(status=404), JiraNotFound, "SHOP-12 does not exist"),
        (Troubles(status=404, on="comment"), JiraNotFound, "SHOP-12 does not exist"),
        (Troubles(status=400), JiraRejected, "does not take this request: "),
        (Troubles(status=410), JiraRejected, "does not take this request: "),
        (Troubles(limited="jira-burst-based", retry_after="1800"), JiraBusy, "in 1800 s"),
        (Troubles(limited="jira-burst-based", retry_after=None), JiraBusy, "in a minute"),
        (Troubles(limited="jira-burst-based", retry_after="soon"), JiraBusy, "in a minute"),
    ],
    ids=str,
)
async def test_each_trouble_has_its_name_and_sentence(
    trouble: Troubles, kind: type[JiraProblem], words: str, site: JiraStandIn, reader: Jira
) -> None:
    """Whatever Jira does, the call ends with the right problem, and its thread is gone."""
    site.troubles = trouble

    with pytest.raises(kind, match=words):
        await reader.issue("SHOP-12", deadline=SHORT if kind is JiraSlow else SECONDS)

    assert await happened(lambda: threads() == 0)


async def test_what_is_hidden_looks_as_if_it_were_not_there(reader: Jira) -> None:
    """A hidden issue and one that never was are told with the same words."""
    with pytest.raises(JiraNotFound) as hidden:
        await reader.issue("BOARD-1", deadline=SECONDS)
    with pytest.raises(JiraNotFound) as missing:
        await reader.issue("SHOP-999", deadline=SECONDS)

    assert str(hidden.value).replace("BOARD-1", "X") == str(missing.value).replace("SHOP-999", "X")


async def test_an_expired_token_is_no_missing_issue(site: JiraStandIn, reader: Jira) -> None:
    """A good token that has expired is told as that, for issues and for the account."""
    site.expired = True

    for call in (reader.issue("SHOP-12", deadline=SECONDS), reader.myself(deadline=SECONDS)):
        with pytest.raises(JiraRefused, match="has expired"):
            await call


async def test_a_scoped_token_on_the_site_is_told_where_it_works(site: JiraStandIn) -> None:
    """The sentence for a refused token names the gateway."""
    with pytest.raises(JiraRefused, match="only at the gateway"):
        await client(site, token=site.scoped_token).myself(deadline=SECONDS)


async def test_nobody_at_home_is_told_at_once(site: JiraStandIn) -> None:
    """A port that nobody listens on any more, and addresses that are none."""
    await site.stop()

    for url in (site.url, "http://", "http://127.0.0.1:99999", "ftp://127.0.0.1"):
        with pytest.raises(JiraBroken):
            await elsewhere(url).myself(deadline=SECONDS)


async def test_a_short_rate_limit_is_waited_for_once(site: JiraStandIn, reader: Jira) -> None:
    """A read that is limited for less than the deadline is asked a second time, and no third."""
    site.troubles = Troubles(limited="jira-burst-based", retry_after="0.01", times=1)
    me = await reader.myself(deadline=SECONDS)
    once = len(site.log)
    site.troubles = Troubles(limited="jira-burst-based", retry_after="0.01")
    with pytest.raises(JiraBusy) as busy:
        await reader.myself(deadline=SECONDS)

    assert me.name == "Purser"
    assert once == 2
    assert len(site.log) == once + 2
    assert busy.value.seconds == 0.01


@pytest.mark.parametrize("wait", ["3", None, "soon", "-1e999", "nan", "inf"])
async def test_a_long_or_unsaid_rate_limit_is_told_at_once(
    wait: str | None, site: JiraStandIn, reader: Jira
) -> None:
    """Nobody waits when it is not known that the wait fits in the deadline."""
    site.troubles = Troubles(limited="jira-quota-tenant-based", retry_after=wait)

    with pytest.raises(JiraBusy):
        await reader.myself(deadline=3.5)

    assert len(site.log) == (2 if wait == "-1e999" else 1)


async def test_only_reads_are_repeated(site: JiraStandIn, reader: Jira) -> None:
    """What is posted is sent once, whatever becomes of it."""
    site.troubles = Troubles(limited="jira-burst-based", retry_after="0", on="POST")

    await reader.issue("SHOP-12", deadline=SECONDS)

    assert [h.method for h in site.log].count("POST") == 1


def test_a_date_to_wait_for_counts_from_the_answer() -> None:
    """Retry-After as a date is read against the answer's own clock, not ours."""
    headers = {"Retry-After": formatdate(1_000_090, usegmt=True)}

    assert retry_after({**headers, "Date": formatdate(1_000_000, usegmt=True)}) == 90
    assert retry_after({**headers, "Date": formatdate(1_000_900, usegmt=True)}) == 0
    assert retry_after(headers) is None
    assert retry_after({**headers, "Date": "yesterday"}) is None


async def test_hanging_calls_starve_nobody(site: JiraStandIn, reader: Jira) -> None:
    """While calls hang in Jira, other threads, other clients and the loop work on."""
    other = client(site, in_flight=1)
    site.troubles = Troubles(hang=HANG, times=40)
    many = client(site, in_flight=40)
    hung = [asyncio.create_task(many.myself(deadline=SECONDS)) for _ in range(40)]
    await site.wait_for(lambda: len(site.log) == 40, SECONDS)

    async with asyncio.timeout(SECONDS):
        numbers = await asyncio.gather(*(asyncio.to_thread(abs, -n) for n in range(50)))
        me = await other.myself(deadline=SECONDS)

    assert numbers == list(range(50))
    assert me.name == "Purser"
    assert all(not call.done() for call in hung)
    assert await happened(lambda: threads() == 40)
    await site.stop()
    assert {type(e) for e in await asyncio.gather(*hung, return_exceptions=True)} == {JiraBroken}


async def test_waiting_for_a_thread_counts(site: JiraStandIn) -> None:
    """A call that finds no free thread within its deadline is told so, and is never sent."""
    jira = client(site, in_flight=1)
    site.troubles = Troubles(hang=HANG, times=1)
    first = asyncio.create_task(jira.myself(deadline=SECONDS))
    await site.wait_for(lambda: len(site.log) == 1, SECONDS)

    with pytest.raises(JiraSlow):
        await jira.issue("SHOP-12", deadline=0.05)

    assert len(site.log) == 1
    assert not first.done()
    first.cancel()


async def test_a_thread_is_free_again_after_its_deadline(site: JiraStandIn) -> None:
    """Calls that hung or dripped leave neither threads nor taken places behind."""
    jira = client(site, in_flight=2)
    for trouble in (Troubles(hang=HANG, times=2), Troubles(drip=0.02, times=2)):
        site.troubles = trouble
        calls = [jira.myself(deadline=SHORT) for _ in range(2)]
        ended = await asyncio.gather(*calls, return_exceptions=True)

        me = await jira.myself(deadline=SECONDS)

        assert [type(e) for e in ended] == [JiraSlow, JiraSlow]
        assert me.name == "Purser"
    assert await happened(lambda: threads() == 0)


async def test_a_cancelled_call_keeps_its_place_until_its_thread_is_gone(
    site: JiraStandIn,
) -> None:
    """Whoever is cancelled is let go at once; the thread ends by its deadline, and never are there more."""
    jira = client(site, in_flight=1)
    site.troubles = Troubles(hang=HANG, times=1)
    call = asyncio.create_task(jira.myself(deadline=ARRIVING))
    await site.wait_for(lambda: len(site.log) == 1, SECONDS)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    left = threads()

    me = await jira.myself(deadline=SECONDS)

    assert left == 1
    assert me.name == "Purser"
    assert await happened(lambda: threads() == 0)


async def test_a_call_cancelled_while_it_waits_takes_no_place(site: JiraStandIn) -> None:
    """Cancelling those who wait for a thread leaves it to the others."""
    jira = client(site, in_flight=1)
    site.troubles = Troubles(hang=HANG, times=1)
    first = asyncio.create_task(jira.myself(deadline=ARRIVING))
    await site.wait_for(lambda: len(site.log) == 1, SECONDS)
    waiting = [asyncio.create_task(jira.myself(deadline=SECONDS)) for _ in range(3)]
    last = asyncio.create_task(jira.issue("SHOP-12", deadline=SECONDS))
    await asyncio.sleep(0)
    for call in waiting:
        call.cancel()

    issue = await last

    assert issue.key == "SHOP-12"
    assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], JiraSlow)
    assert [h.path for h in site.log].count("/rest/api/3/myself") == 1


async def test_a_machine_without_threads_is_told_and_recovers(
    site: JiraStandIn, reader: Jira
) -> None:
    """When no thread can be started the call says so, and the next one finds its place again."""
    usual = threading.stack_size(1 << 46)  # more than there is
    try:
        for _ in range(6):
            with pytest.raises(JiraBroken, match="Too much"):
                await reader.myself(deadline=SECONDS)
    finally:
        threading.stack_size(usual)

    assert (await reader.myself(deadline=SECONDS)).name == "Purser"


async def test_a_closed_client_asks_no_more(site: JiraStandIn) -> None:
    """After closing nothing is sent, and a call that was running ends by its deadline."""
    jira = client(site)
    site.troubles = Troubles(hang=HANG, times=1)
    running = asyncio.create_task(jira.myself(deadline=ARRIVING))
    await site.wait_for(lambda: len(site.log) == 1, SECONDS)
    await jira.close()

    with pytest.raises(JiraBroken):
        await jira.myself(deadline=SECONDS)
    with pytest.raises(JiraSlow):
        await running

    assert len(site.log) == 1
    assert await happened(lambda: threads() == 0)


async def test_the_loop_may_end_before_its_threads(
    site: JiraStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    """A loop that closes while a thread still works leaves nothing to complain of."""
    site.troubles = Troubles(hang=HANG)
    url, email, token = site.url, site.email, site.token

    async def cut_short() -> None:
        jira = elsewhere(url, email=email, token=token)
        call = asyncio.create_task(jira.myself(deadline=ARRIVING))
        await happened(lambda: threads() == 1)
        call.cancel()

    await asyncio.to_thread(lambda: asyncio.run(cut_short()))

    assert await happened(lambda: threads() == 0)
    assert caplog.text == ""


async def test_credentials_are_never_told(
    site: JiraStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither errors nor traces, names or logs hold the token in any form; errors not even an address."""
    caplog.set_level(logging.DEBUG)
    jira = client(site)
    pair = base64.b64encode(f"{site.email}:{site.token}".encode()).decode()
    seen = [repr(jira), str(jira)]
    errors: list[str] = []
    for trouble in (
        Troubles(),
        Troubles(status=401),
        Troubles(status=400),
        Troubles(status=200, html=True),
        Troubles(cut=True),
        Troubles(hang=HANG),
        Troubles(limited="jira-burst-based"),
    ):
        site.troubles = trouble
        try:
            seen.append(repr(await jira.issue("SHOP-12", deadline=SHORT)))
        except JiraProblem as problem:
            errors += [repr(problem), *traceback.format_exception(problem)]
    await site.stop()
    with pytest.raises(JiraBroken) as nobody:
        await client(site).myself(deadline=SECONDS)
    errors += traceback.format_exception(nobody.value)
    seen += [caplog.text, *errors]

    assert len(errors) > 9
    assert [text for text in errors if "127.0.0.1" in text] == []
    for secret in (site.token, pair, site.email, "Authorization"):
        assert [text for text in seen if secret in text] == []
    await jira.close()


async def test_an_answer_that_is_none_is_not_logged(
    site: JiraStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    """Pages and texts that come instead of JSON do not end up in the log."""
    caplog.set_level(logging.DEBUG)
    site.troubles = Troubles(status=200, html=True)

    with pytest.raises(JiraBroken):
        await client(site).myself(deadline=SECONDS)

    assert "Bad gateway" not in caplog.text
    assert not logging.getLogger("jira").isEnabledFor(logging.ERROR)


async def test_what_the_libraries_raise_is_caught_whole() -> None:
    """Each error of requests and urllib3 is one that becomes a problem; the library's own never arises."""
    errors = [
        found
        for module in (requests.exceptions, urllib3.exceptions)
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, Exception)
        and not issubclass(found, Warning)
        and found.__module__ == module.__name__
    ]

    assert len(errors) > 40
    assert [error for error in errors if not issubclass(error, FOREIGN)] == []
    assert not issubclass(jira.exceptions.JIRAError, FOREIGN)


@given(
    st.integers(100, 599),
    st.dictionaries(
        st.sampled_from(["Retry-After", "Date", "X-Seraph-LoginReason"]), st.text(max_size=40)
    ),
    st.binary(max_size=60)
    | st.sampled_from(
        [b'{"errorMessages": ["no"]}', b'{"errors": {"a": 1}}', b"[]", b"{", b'{"message": null}']
    ),
)
def test_every_answer_other_than_success_is_a_problem(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    """Any status, headers and body give one of our problems, in a sentence of bounded length."""
    problem = of_answer(status, headers, body)

    assert type(problem) is not JiraProblem
    assert 20 < len(str(problem)) < 500
    assert "\n" not in str(problem)


def test_field_errors_keep_their_names() -> None:
    """What Jira says about a field is told with the field's name."""
    body = b'{"errorMessages": ["Look:"], "errors": {"customfield_10010": "is required"}}'

    assert str(of_answer(400, {}, body)) == (
        "Jira does not take this request: Look: customfield_10010: is required"
    )


def test_a_failed_login_is_no_missing_issue() -> None:
    """A 404 to somebody whom Jira took for a stranger says that the credentials failed."""
    headers = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}

    assert isinstance(of_answer(404, headers, b'{"errorMessages": []}'), JiraRefused)


def test_long_words_of_jira_are_cut() -> None:
    """What Jira says is repeated as far as it fits in a sentence."""
    said = str(of_answer(400, {}, b'{"errorMessages": ["' + b"word " * 500 + b'"]}'))

    assert len(said) < 400
    assert said.endswith("…")


async def test_without_time_nothing_is_sent(site: JiraStandIn, reader: Jira) -> None:
    """A call that may take no time is not sent."""
    with pytest.raises(JiraSlow):
        await reader.issue("SHOP-12", deadline=0)

    assert site.log == []
