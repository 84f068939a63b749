"""Asking a host: what comes, what is asked again, and what is said when nothing comes."""

import gzip
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests

import loopback
from data.net.errors import NoNetworkError, NotFoundError, RateLimitError, SourceError
from data.net.http import get
from data.net.retry import Pacer, TransientError, persist
from data.net.secrets import scrub
from data.net.settings import SourceSettings

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
