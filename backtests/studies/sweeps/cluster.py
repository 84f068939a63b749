"""The variants of a sweep on other machines, by dask.distributed: the market is sent once, then numbers of variants.

A worker that is lost costs the parts that it was at; they are run again by others. Every part holds the bytes that this
machine would have made: a worker with other code or other packages is refused by name.
"""

import asyncio
import logging
import re
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from typing import Any

from backtests.identity import ROOT, package_versions, source_hash
from backtests.spec.spec import Spec, spec_values
from backtests.studies.sweeps.folder import Runner, as_parquet
from backtests.studies.sweeps.sweep import Sweep, SweepAsked
from data.errors import InputError, ReverseQeError

# Seconds in which a scheduler answers, has a first worker, and without any worker is given up.
ANSWERS, FIRST_WORKER, NO_WORKER = 3.0, 5.0, 60.0
# Parts that a thread of a worker has before it, its results not yet fetched among them.
AHEAD = 3
# Of a part that failed on one worker, and of a market that every worker lost.
RETRIES = 2
_ADDRESS = re.compile(r"(tcp|tls)://([^\s:/@\[\]]{1,253}|\[[0-9a-fA-F:.]{2,45}\]):[0-9]{1,5}", re.ASCII)
_LOGGERS = ("distributed", "distributed.client", "distributed.comm", "distributed.core", "distributed.batched")
Span = tuple[int, int]
_KEPT = "what is done is kept, the same words go on from there"
# On a worker: one sweep, and one part at a time, for a sweep recalls what it has made.
_SWEEP: dict[str, Sweep] = {}
_ONE = threading.Lock()


class ClusterError(ReverseQeError):
    """The cluster was lost on the way: what is done is kept, and the same words go on from there."""


@contextmanager
def connected(address: str) -> Iterator[Runner]:
    """Connect to a scheduler; what is yielded runs parts on its workers, as they come.

    Args:
        address: such as ``127.0.0.1:8786``.

    Raises:
        InputError: dask is not installed, nothing answers, or no worker is there.
    """
    place, distributed = require_scheduler(address), _distributed()
    with _silent():
        client = distributed.Client(place, timeout=ANSWERS, set_as_default=False)
        try:
            try:
                client.wait_for_workers(1, timeout=FIRST_WORKER)
            except TimeoutError:
                raise InputError(
                    f"got {address!r} for the cluster, whose scheduler has no worker; start one by: dask worker {place}"
                ) from None
            yield lambda sweep, spans, keep_returns: _run(client, sweep, spans, keep_returns)
        finally:
            with suppress(Exception):
                client.close(timeout=2)


def require_scheduler(address: str) -> str:
    """The address of a scheduler that answers; a client would wait long for what is none.

    Raises:
        InputError: dask is not installed, or nothing answers there within `ANSWERS` seconds.
    """
    distributed = _distributed()
    place = address if isinstance(address, str) and "://" in address else f"tcp://{address}"
    fault = f"got {address!r} for the cluster"
    remedy = "wanted the address of a scheduler such as 127.0.0.1:8786; one is started by: dask scheduler"
    if not isinstance(address, str) or not _ADDRESS.fullmatch(place):
        raise InputError(f"{fault}, {remedy}")

    async def identity() -> Any:
        security = distributed.Security()
        async with distributed.rpc(place, connection_args=security.get_connection_args("client")) as scheduler:
            return await scheduler.identity()

    try:
        with _silent():
            found = asyncio.run(asyncio.wait_for(identity(), ANSWERS))
    # Whatever else answers there may make anything of the question, and dask anything of the answer.
    except Exception:
        raise InputError(f"{fault}, where no dask scheduler answers; {remedy}") from None
    if not isinstance(found, dict) or found.get("type") != "Scheduler":
        raise InputError(f"{fault}, where a dask worker answers; {remedy}")
    return place


def require_sendable(spec: Spec) -> None:
    """Refuse a spec that names files of the user, which other machines do not have.

    Raises:
        InputError: it names one.
    """
    for key, value in (("signal.source", spec.signal.source), ("signal.blocks", spec.signal.blocks)):
        if value:
            raise InputError(f"{key}: got {value} for a cluster, whose workers have no files of yours; take it out")


def play_part(
    asked: SweepAsked, mark: str, identity: dict[str, str], begin: int, end: int, keep_returns: bool
) -> bytes:
    """On a worker: some variants as a Parquet file.

    Args:
        asked: what the sweep is of.
        mark: of it; parts of one sweep have the same.
        identity: of the code and the packages that ask.
        begin: number of the first variant.
        end: of the last, which is left out.
        keep_returns: whether daily returns are kept.

    Raises:
        InputError: this worker has other code or other packages.
    """
    mine = _identity()
    if other := [
        f"{name} {mine.get(name)}, not {identity[name]}" for name in identity if mine.get(name) != identity[name]
    ]:
        raise InputError(
            f"a worker has {'; '.join(other)}: other numbers could come of it; install the same version there"
        )
    with _ONE:
        if mark not in _SWEEP:
            _SWEEP.clear()
            _SWEEP[mark] = Sweep(asked)
        return as_parquet(_SWEEP[mark].run(begin, end, keep_returns))


def _run(client: Any, sweep: Sweep, spans: Sequence[Span], keep_returns: bool) -> Iterator[tuple[int, bytes]]:
    """Run parts on the workers of a client; each as it comes, by the number of its first variant."""
    asked = replace(sweep.asked, spec=spec_values(sweep.asked.spec))
    waiting = list(spans)[::-1]
    try:
        for _ in range(RETRIES + 1):
            client.wait_for_workers(1, timeout=NO_WORKER)
            left: list[Span] = []
            yield from _run_once(client, asked, keep_returns, waiting, left)
            waiting = left[::-1]
            if not waiting:
                return
    except TimeoutError:
        raise ClusterError(f"the cluster has no worker any more; {_KEPT}") from None
    # What a client raises whose scheduler is gone.
    except (OSError, RuntimeError, AttributeError) as error:
        raise ClusterError(f"the scheduler does not answer any more; {_KEPT}") from error
    raise ClusterError(f"the cluster lost all of its workers again and again; {_KEPT}")


def _run_once(
    client: Any, asked: SweepAsked, keep_returns: bool, waiting: list[Span], left: list[Span]
) -> Iterator[tuple[int, bytes]]:
    """Send the market to all workers, then parts; what is `left` are those whose market got lost with its workers."""
    distributed = _distributed()
    (market,) = client.scatter([asked], broadcast=True, hash=False)
    identity = _identity()
    underway: dict[Any, Span] = {}
    while waiting or underway:
        threads = sum(each["nthreads"] for each in _workers(client))
        while waiting and len(underway) < AHEAD * max(threads, 1):
            begin, end = waiting.pop()
            given = (market, market.key, identity, begin, end, keep_returns)
            underway[client.submit(play_part, *given, pure=False, retries=RETRIES)] = (begin, end)
        for future in _done(client, underway):
            span = underway.pop(future)
            try:
                content = future.result()
            except ReverseQeError:
                raise
            except distributed.CancelledError:
                left += [span, *waiting]
                waiting.clear()
                continue
            except Exception as error:
                first, last = span[0], span[1] - 1
                why = f"{type(error).__name__}: {error}"
                raise ClusterError(f"the cluster cannot run variants {first:,} to {last:,}: {why}; {_KEPT}") from error
            future.release()
            yield span[0], content


def _done(client: Any, underway: Iterable[Any]) -> Collection[Any]:
    """Parts that are done, one at least; a cluster without workers is waited for, but not for ever."""
    distributed, seen = _distributed(), time.monotonic()
    while True:
        with suppress(TimeoutError, distributed.CancelledError), client.as_current():
            distributed.wait(list(underway), timeout=1, return_when="FIRST_COMPLETED")
        if found := [future for future in underway if future.status != "pending"]:
            return found
        if _workers(client):
            seen = time.monotonic()
        elif time.monotonic() - seen > NO_WORKER:
            raise ClusterError(f"the cluster has no worker any more; {_KEPT}")


def _workers(client: Any) -> list[dict[str, Any]]:
    return list(client.scheduler_info(n_workers=-1)["workers"].values())


@cache
def _identity() -> dict[str, str]:
    """What parts depend on beside what is asked."""
    return {"reverse-qe source": source_hash(ROOT)[:16], **package_versions(("numba",))}


@contextmanager
def _silent() -> Iterator[None]:
    """Let dask say nothing on stderr: what goes wrong is told in one line."""
    kept = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name in kept:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in kept.items():
            logging.getLogger(name).setLevel(level)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise InputError(
            "a cluster needs dask.distributed, which is not installed; install it by: "
            "pip install '.[cluster]' in the checkout"
        ) from None
    return distributed
