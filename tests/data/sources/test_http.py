"""Asking a host: what comes, what is asked again, and what is said when nothing comes."""

import gzip
import logging
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests

import loopback
from data.net.errors import NoNetworkError, NotFoundError, RateLimitError, SourceError, StatusError
from data.net.http import get
from data.net.retry import Pacer, TransientError, persist
from data.net.secrets import scrub
from data.net.settings import SourceSettings
from data.net.told import told

SETTINGS = SourceSettings(attempts=3, pause=0, longest_wait=1)
HASTY = replace(SETTINGS, read_timeout=0.4)
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def ask(server: Any) -> Callable[..., bytes]:
    def asked(path: str = "/data.csv", settings: SourceSettings = SETTINGS, **params: str) -> bytes:
        return get(f"{server.url}{path}", params, settings, source="TEST", wanted="CSV", per_second=1000)

    return asked


def test_the_body_comes_and_we_introduce_ourselves(server: Any, ask: Callable[..., bytes]) -> None:
    server.answers("/data.csv", loopback.Answer("a,b\n1,2\n"))

    assert ask(id="DGS10", cosd="2020-01-01") == b"a,b\n1,2\n"
    assert server.asked[0].query == {"id": "DGS10", "cosd": "2020-01-01"}
    assert server.asked[0].headers["user-agent"] == SETTINGS.user_agent


def test_a_compressed_body_is_measured_as_it_was_sent(server: Any, ask: Callable[..., bytes]) -> None:
    packed = gzip.compress(b"a,b\n" * 100)
    server.answers("/data.csv", loopback.Answer(packed, headers={"Content-Encoding": "gzip"}))

    assert ask() == b"a,b\n" * 100


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ({"status": 429}, "answered 429 Too Many Requests"),
        ({"status": 500}, "answered 500 Internal Server Error"),
        ({"status": 504, "body": "<html>"}, "answered 504 Gateway Timeout"),
        ({"delay": 5}, "gave no whole answer within 0.4 s"),
        ({"body": "a,b\n1,2\n", "sent": 5}, "was cut off"),
        ({"body": "a,b\n1,2\n", "sent": 0}, "was cut off"),
        ({"reset": True}, "broke off the connection"),
    ],
)
def test_what_may_pass_is_asked_again(
    server: Any, ask: Callable[..., bytes], trouble: dict[str, Any], reason: str
) -> None:
    settings = HASTY if "delay" in trouble else SETTINGS
    server.answers("/data.csv", loopback.Answer(**trouble), loopback.Answer("a,b\n1,2\n"))
    assert ask(settings=settings) == b"a,b\n1,2\n"
    assert len(server.asked) == 2

    server.answers("/data.csv", loopback.Answer(**trouble))
    with pytest.raises(SourceError, match=r"^TEST: .*\(asked 3 times\); try again later$") as failure:
        ask(settings=settings)
    assert reason in str(failure.value)
    assert failure.value.retry_later
    assert isinstance(failure.value, RateLimitError) == (trouble.get("status") == 429)
    assert len(server.asked) == 5


@pytest.mark.parametrize("headers", [{}, {"Content-Length": ""}])
def test_a_trickle_ends_at_the_time_out(server: Any, ask: Callable[..., bytes], headers: dict[str, str]) -> None:
    """Every byte comes in time, the whole does not; where no length is told, what came is still no answer."""
    server.answers("/data.csv", loopback.Answer("a,b\n" * 100, pace=0.05, headers=headers))
    began = time.monotonic()

    with pytest.raises(SourceError, match=r"gave no whole answer within 0\.4 s; try again later"):
        ask(settings=replace(HASTY, attempts=1))

    assert time.monotonic() - began < 5


@pytest.mark.parametrize("as_date", [False, True])
def test_it_waits_as_long_as_the_host_asks(server: Any, monkeypatch: pytest.MonkeyPatch, as_date: bool) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True) if as_date else "40"
    server.answers("/x", loopback.Answer(status=429, headers={"Retry-After": when}), loopback.Answer("a\n"))

    settings = SourceSettings(pause=0, longest_wait=60)
    assert get(f"{server.url}/x", {}, settings, source="TEST", wanted="CSV", per_second=1000) == b"a\n"

    assert max(slept) == pytest.approx(40, abs=2)


def test_a_host_that_asks_for_too_long_is_left_alone(
    server: Any, ask: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    server.answers("/data.csv", loopback.Answer(status=429, headers={"Retry-After": "3600"}))

    with pytest.raises(RateLimitError, match="429 Too Many Requests; try again in 3600 s, as it asks") as failure:
        ask()

    assert failure.value.retry_later
    assert len(server.asked) == 1


def test_pauses_double(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)

    def fail() -> None:
        raise TransientError("no")

    with pytest.raises(SourceError, match=r"TEST: no \(asked 4 times\)"):
        persist(fail, SourceSettings(attempts=4, pause=10), "TEST")

    assert len(slept) == 3
    assert all(10 * 2**n <= pause <= 10 * 2**n + 10 for n, pause in enumerate(slept))


def test_what_will_not_pass_is_asked_once(server: Any, ask: Callable[..., bytes]) -> None:
    server.answers("/data.csv", loopback.Answer({"error_message": "Bad Request. No such variable."}, status=400))

    with pytest.raises(SourceError, match=r"TEST: answered 400 Bad Request: .*No such variable") as failure:
        ask()

    assert not failure.value.retry_later
    assert len(server.asked) == 1


def test_what_is_not_there_has_its_own_error(server: Any, ask: Callable[..., bytes]) -> None:
    with pytest.raises(NotFoundError, match="TEST: answered 404 Not Found: not found"):
        ask("/missing")
    assert len(server.asked) == 1


def test_an_html_page_is_no_data(server: Any, ask: Callable[..., bytes]) -> None:
    server.answers("/data.csv", loopback.Answer("\n " + loopback.HTML_PAGE))

    with pytest.raises(SourceError, match=r'an HTML page \("Sorry, you have been blocked"\) instead of CSV'):
        ask()


def packed_zeros(megabytes: int) -> bytes:
    """Zeros as gzip, a thousandth of their size: one packed megabyte again and again, each a block of its own."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    header = b"\x1f\x8b\x08" + bytes(7)
    return header + block * megabytes + packer.flush(zlib.Z_FINISH) + bytes(8)


@pytest.mark.parametrize("size", [{}, {"Content-Length": ""}])
def test_an_answer_that_unpacks_beyond_the_bound_is_not_read_on(
    server: Any, ask: Callable[..., bytes], size: dict[str, str]
) -> None:
    """Two megabytes that come to two thousand: no more of it is held than the bound and a piece."""
    bomb = packed_zeros(2_100)
    assert len(bomb) < 2_500_000
    server.answers("/data.csv", loopback.Answer(bomb, headers={"Content-Encoding": "gzip", **size}))
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match=r"^TEST: got an answer of more than 5 MB when unpacked") as failure:
            ask(settings=replace(SETTINGS, largest_answer=5_000_000))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 25_000_000
    assert not failure.value.retry_later
    assert len(server.asked) == 1


def test_an_answer_up_to_the_bound_is_read(server: Any, ask: Callable[..., bytes]) -> None:
    server.answers("/data.csv", loopback.Answer("a,b\n" * 25))

    assert len(ask(settings=replace(SETTINGS, largest_answer=100))) == 100
    with pytest.raises(SourceError, match=r"more than 9\.9e-05 MB"):
        ask(settings=replace(SETTINGS, largest_answer=99))


def test_redirects_within_the_host_are_followed(server: Any, ask: Callable[..., bytes]) -> None:
    server.answers("/data.csv", loopback.Answer(status=302, headers={"Location": "/elsewhere?id=X"}))
    server.answers("/elsewhere", loopback.Answer(status=307, headers={"Location": f"{server.url}/at/last"}))
    server.answers("/at/last", loopback.Answer("a,b\n"))

    assert ask(id="DGS10") == b"a,b\n"
    assert [(asked.path, asked.query) for asked in server.asked] == [
        ("/data.csv", {"id": "DGS10"}),
        ("/elsewhere", {"id": "X"}),
        ("/at/last", {}),
    ]


@pytest.mark.parametrize("target", ["http://other.invalid/data.csv", "https://{host}/data.csv", "//other.invalid/x"])
def test_redirects_to_another_host_or_protocol_are_refused(server: Any, ask: Callable[..., bytes], target: str) -> None:
    target = target.format(host=server.url.removeprefix("http://"))
    server.answers("/data.csv", loopback.Answer(status=301, headers={"Location": target}))

    with pytest.raises(SourceError, match=r"TEST: redirects from 127.*, which is refused; wanted") as failure:
        ask(api_key=KEY)
    assert KEY not in str(failure.value)
    assert len(server.asked) == 1


def test_redirects_in_a_circle_end(server: Any, ask: Callable[..., bytes]) -> None:
    server.answers("/data.csv", loopback.Answer(status=302, headers={"Location": "/data.csv"}))

    with pytest.raises(SourceError, match="redirects more than 5 times"):
        ask()
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"error_code":400,"error_message":"Bad Request.  No such series."}', "Bad Request. No such series."),
        ('{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found"}}}', "No data found"),
        ('{"code": 40010001, "message": "qty must be > 0"}', "qty must be > 0"),
        ('<?xml version="1.0" ?><error code="400" message="Bad &amp; wrong"/>', "Bad & wrong"),
        ("<?xml version='1.0'?><Error><Code>No</Code><Message>Not there.</Message></Error>", "Not there."),
        ("<a><b/></a>", "an XML document"),
        ("<!DOCTYPE html><html><title> A\n&lt;b&gt; </title>", 'an HTML page ("A <b>")'),
        ("<html><style>b {}</style><body>Will be <b>right</b> back</body>", 'an HTML page ("Will be right back")'),
        ("<html><body></body></html>", "an HTML page"),
        ("Edge: Too Many Requests", "Edge: Too Many Requests"),
        ("[1, 2]", "[1, 2]"),
        ("[" * 100_000, "[" * 200),
        ("", ""),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_what_an_answer_says(body: str | bytes, words: str) -> None:
    assert told(body if isinstance(body, bytes) else body.encode()) == words


def test_a_status_that_says_no_is_kept_with_its_words(server: Any, ask: Callable[..., bytes]) -> None:
    server.answers("/data.csv", loopback.Answer({"error_message": "No such thing."}, status=400))

    with pytest.raises(StatusError) as failure:
        ask()

    assert (failure.value.status, failure.value.told) == (400, "No such thing.")


def test_without_a_network_it_says_so_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(NoNetworkError, match=r"TEST: no network: 127\.0\.0\.1:\d+ cannot be reached"):
        get(loopback.closed_port_url(), {}, SourceSettings(), source="TEST", wanted="CSV", per_second=1000)
    assert time.monotonic() - began < 5


def test_a_name_that_nobody_answers_for_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server out of reach holds a look-up for longer than any time-out of requests."""

    def hang(*_: object) -> None:
        time.sleep(30)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    began = time.monotonic()
    with pytest.raises(NoNetworkError, match=r"no address found for fred\.invalid"):
        get("http://fred.invalid/x", {}, SourceSettings(connect_timeout=0.2), source="T", wanted="CSV", per_second=9)
    assert time.monotonic() - began < 5


def test_requests_to_one_host_are_spaced() -> None:
    now = 100.0
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    pacer = Pacer(clock=lambda: now, sleep=sleep)
    for _ in range(3):
        pacer.wait("a", 2)
    assert slept == pytest.approx([0.5, 0.5])

    pacer.wait("b", 2)
    assert len(slept) == 2
    now += 10
    pacer.wait("a", 2)
    assert len(slept) == 2


def test_get_is_paced_by_host(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[tuple[str, float]] = []
    monkeypatch.setattr("data.net.retry.PACER.wait", lambda host, rate: waits.append((host, rate)))
    server.answers("/x", loopback.Answer(status=503), loopback.Answer("a\n"))

    get(f"{server.url}/x", {}, SETTINGS, source="TEST", wanted="CSV", per_second=5)

    assert waits == [(server.url.removeprefix("http://"), 5)] * 2


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 400, "body": f"The value for variable api_key={KEY} is not registered, {KEY} that is."},
        {"status": 404, "body": f"/x?api_key={KEY}"},
        {"status": 500},
        {"delay": 5},
        {"reset": True},
        {"status": 302, "headers": {"Location": f"http://[bad/?api_key={KEY}"}},
        None,
    ],
)
def test_no_failure_tells_the_key(
    server: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answer: dict[str, Any] | None,
) -> None:
    monkeypatch.setenv("FRED_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    url = loopback.closed_port_url() if answer is None else server.url
    server.answers("/x", loopback.Answer(**(answer or {})))

    with pytest.raises(SourceError) as failure:
        get(f"{url}/x", {"api_key": KEY}, HASTY, source="TEST", wanted="JSON", per_second=1000)

    error: BaseException | None = failure.value
    while error is not None:
        assert KEY not in repr(error)
        error = error.__cause__ or error.__context__
    assert all(KEY not in record.getMessage() for record in caplog.records)
    if answer and "status" in answer:
        assert any("api_key=***" in record.getMessage() for record in caplog.records)


def test_scrub_knows_keys_by_name_and_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRED_API_KEY", KEY)

    assert scrub(f"https://x/?a=1&api_key=abc&b=2 {KEY}") == "https://x/?a=1&api_key=***&b=2 ***"


def test_the_last_reason_is_told_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRED_API_KEY", KEY)

    def fail() -> None:
        raise TransientError(f"no answer to {KEY}")

    with pytest.raises(SourceError, match=r"TEST: no answer to \*\*\* \(asked 3 times\)"):
        persist(fail, SETTINGS, "TEST")


def test_an_error_of_ours_is_not_asked_again() -> None:
    tries = []

    def fail() -> None:
        tries.append(1)
        raise requests.RequestException("a defect")

    with pytest.raises(requests.RequestException, match="a defect"):
        persist(fail, SETTINGS, "TEST")
    assert len(tries) == 1
