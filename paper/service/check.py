"""Whether an account can be traded: its configuration and all that it reaches, as a checklist."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import pandas as pd

from backtests.audit.paper_lines import require_paper_lines
from backtests.spec.spec import Spec
from data.clock import next_session
from data.errors import InputError
from data.files.atomic import require_free
from data.files.locks import BusyError
from data.files.user_code import LookAheadError
from data.market.snapshot import is_built_in
from data.market.versions import resolve, versions_of
from paper.brokers.opener import open_broker
from paper.config import PaperConfig
from paper.errors import BrokerRefused, BrokerUnavailable
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.market import PaperMarket, newest_snapshot, read_market
from paper.service.alerts import Alerts
from paper.step.account_files import copied, held
from paper.step.guards import kill_file_reason, sessions_behind
from paper.step.requirements import decision_time, require_same_account, spec_of, was_replayed

Verdict = Literal["ok", "warning", "fault"]
Errors = tuple[type[Exception], ...]
_WRONG: Errors = (InputError, BusyError, BrokerRefused)
Hold = Callable[[PaperConfig], AbstractContextManager[object]]


@dataclass(frozen=True)
class Finding:
    """One line of the checklist.

    Attributes:
        what: was looked at.
        verdict: ``ok``; ``warning``: it works, and may not be what is meant; ``fault``: it does not work.
        says: what was found, with the remedy where it is no ``ok``.
    """

    what: str
    verdict: Verdict
    says: str


def require_ready(config: PaperConfig, now: datetime) -> None:
    """Refuse to open an account that could not be traded, within a step, which holds it.

    Raises:
        InputError: names what is at fault first, with its remedy.
        BrokerUnavailable: the broker does not answer.
    """
    if faults := _faults(check(config, now, hold=nullcontext, told=_WRONG)):
        more = f" ({len(faults) - 1} more; see: reverse-qe paper check)" if len(faults) > 1 else ""
        raise InputError(f"{faults[0].what}: {faults[0].says}{more}")


def check(
    config: PaperConfig, now: datetime | None = None, hold: Hold = held, told: Errors = (*_WRONG, BrokerUnavailable)
) -> list[Finding]:
    """Look at everything that an account reaches; nothing is changed, and no order is sent.

    Args:
        config: of the account; that it could be read is the first check.
        now: UTC; None: the time now.
        hold: holds the account while its files are copied.
        told: what a broker may raise that is a fault.
    """
    now = now or datetime.now(UTC)
    findings = [*_market(config, now), *_keys(config)]
    entry = config.broker.entry
    if entry.replays:
        findings.append(Finding("broker", "ok", f"{entry.name}: {entry.title}"))
    elif not _faults(findings):
        findings += _broker(config, now, hold, told)
    return [*findings, *_state(config), *_ledger(config, now), *_kill_file(config), *_alerts(config)]


def _faults(findings: list[Finding]) -> list[Finding]:
    return [each for each in findings if each.verdict == "fault"]


def _market(config: PaperConfig, now: datetime) -> Iterator[Finding]:
    try:
        spec = config.load_spec()
    except InputError as error:
        yield Finding("spec", "fault", str(error))
        return
    yield Finding("spec", "ok", f"{spec.run.name}: {len(spec.universe.named)} instruments ({config.spec})")
    try:
        market = _read_market(config, spec, now)
    except InputError as error:
        way = f"reverse-qe data fetch --name {config.market}"
        made = f"; or make it with: {way}" if config.refresh and way not in str(error) else ""
        yield Finding("market", "fault", f"{error}{made}")
        return
    simulated = ", SIMULATED" if market.snapshot.simulated else ""
    yield Finding("market", "ok", f"{market.snapshot.name}{simulated}: it holds what the spec reads")
    yield from _strategy(config, market)
    yield _freshness(config, market, now)


def _strategy(config: PaperConfig, market: PaperMarket) -> Iterator[Finding]:
    """Whether a strategy of the user can be traded on paper: by its lines, and, before it is, by what it does."""
    if market.strategy is None:
        return
    from paper.step.own_strategy import require_paper_strategy

    try:
        if (config.state_folder / LEDGER_FILE).is_file():
            require_paper_lines(market.strategy)
        else:
            require_paper_strategy(market, market.panel.sessions[1].date())
    except (InputError, LookAheadError) as error:
        yield Finding("strategy", "fault", str(error))
    else:
        named = market.strategy
        yield Finding("strategy", "ok", f"{named.file.path}:{named.name} sends market orders for the next open alone")


def _read_market(config: PaperConfig, spec: Spec, now: datetime) -> PaperMarket:
    snapshot = newest_snapshot(config.market)
    bars = snapshot.bars["date"]
    # A market that is never refreshed is for replays: it is enough that it fits where it ends.
    session = next_session(
        bars.max() if is_built_in(config.market) else pd.Timestamp(now.date()) - pd.Timedelta(days=1)
    )
    return read_market(spec, snapshot, session.date(), session.date())


def _freshness(config: PaperConfig, market: PaperMarket, now: datetime) -> Finding:
    today = next_session(pd.Timestamp(now.date()) - pd.Timedelta(days=1)).date()
    newest = market.newest_bars(today)
    dates = ", ".join(f"{kind} to {day}" for kind, day in newest.items())
    behind = max(sessions_behind(day, today) for day in newest.values())
    if behind < config.limits.stale_sessions_halt:
        return Finding("data", "ok", f"{dates}; the next decision is for {today}")
    says = f"{dates}: {behind} sessions behind the decision for {today}"
    if is_built_in(config.market):
        return Finding("data", "warning", f"{says}; this market does not grow: replay it with paper step --date")
    if config.refresh:
        return Finding(
            "data", "warning", f"{says}; the next step asks the sources for what is missing (refresh = true)"
        )
    market_name = config.market.rpartition(".")[0] if resolve(config.market) == config.market else config.market
    if versions_of(market_name):
        remedy = f"fetch what is missing: reverse-qe data fetch --name {market_name}"
    else:
        remedy = (
            f'{config.market} was imported and does not grow: wanted a market that data fetch makes (market = "live")'
        )
    return Finding("data", "fault", f"{says}, and a step would halt; {remedy}, or replay with paper step --date")


def _keys(config: PaperConfig) -> Iterator[Finding]:
    entry = config.broker.entry
    if entry.extra is not None and entry.lacks_extra():
        remedy = f"pip install '.[{entry.extra.name}]' in the checkout"
        yield Finding("extra", "fault", f"{entry.extra.package} is not installed: {remedy}")
    for key in entry.keys:
        name = getattr(config.broker, key)
        if os.environ.get(name):
            yield Finding("key", "ok", f"{name} is set")
        else:
            yield Finding("key", "fault", f"{name} is not set; export it (keys of {entry.title})")


def _broker(config: PaperConfig, now: datetime, hold: Hold, told: Errors) -> Iterator[Finding]:
    entry, spec = config.broker.entry, config.load_spec()
    where = f"{entry.name} at {config.broker.endpoint}" if "endpoint" in entry.settings else entry.name
    try:
        market = _read_market(config, spec, now)
        # What a broker does when it is asked must not be done for good here.
        with (
            hold(config),
            copied(config.state_folder) as folder,
            closing(open_broker(config, folder, market, spec.run.initial_cash, lambda: now)) as broker,
        ):
            account = broker.account()
            holds = f"{account.cash:,.2f} USD in cash, {len(account.positions)} positions"
            yield Finding("broker", "ok", f"{where}: {holds}")
            # It is compared with ours, and its trading hours with our calendar's.
            clock = broker.clock()
            yield Finding(
                "clock", "ok", f"the broker's agrees with ours; the next open is {clock.next_open:%Y-%m-%d %H:%M} UTC"
            )
    except told as error:
        yield Finding("broker", "fault", f"{where}: {error}")


def _state(config: PaperConfig) -> Iterator[Finding]:
    folder = config.state_folder
    try:
        if not folder.exists():
            require_free(folder, "state.path")
        elif not (folder.is_dir() and os.access(folder, os.W_OK)):
            raise InputError(f"{folder} is no folder that can be written to; choose another state.path")
    except InputError as error:
        yield Finding("state", "fault", str(error))
    else:
        yield Finding("state", "ok", f"{folder}{'' if folder.exists() else ' (to be made)'}")


def _ledger(config: PaperConfig, now: datetime) -> Iterator[Finding]:
    path = config.state_folder / LEDGER_FILE
    if not path.is_file():
        yield Finding("account", "ok", f"{config.account.name}: the first step opens it")
        return
    try:
        with LedgerReader(path) as ledger:
            halted, last = ledger.halt(), ledger.last_decision()
            replayed = last is not None and was_replayed(last)
            # A replay has a clock of its own.
            at = decision_time(last.session) if last is not None and replayed else now
            require_same_account(config, spec_of(config, ledger.account()), ledger, at, replayed)
    except InputError as error:
        yield Finding("account", "fault", str(error))
        return
    if halted is not None:
        yield Finding(
            "account",
            "fault",
            f"halted since {halted.at:%Y-%m-%d %H:%M} UTC: {halted.text}; resume it with: "
            "reverse-qe paper resume --why TEXT",
        )
    else:
        decided = f"decided up to {last.session}" if last else "open, nothing decided yet"
        yield Finding("account", "ok", f"{config.account.name}: {decided}")


def _kill_file(config: PaperConfig) -> Iterator[Finding]:
    if reason := kill_file_reason(config.kill_file):
        yield Finding("kill file", "fault", reason)
    else:
        yield Finding("kill file", "ok", f"{config.kill_file} is not there")


def _alerts(config: PaperConfig) -> Iterator[Finding]:
    if not config.alerts.urls_env:
        yield Finding("alerts", "warning", "nobody is told of a halt; name variables in alerts.urls_env")
        return
    try:
        receivers = len(Alerts(config.alerts, config.account.name))
    except InputError as error:
        yield Finding("alerts", "fault", str(error))
    else:
        yield Finding(
            "alerts", "ok", f"{receivers} receivers of {', '.join(config.alerts.on)}; try: paper check --test-alerts"
        )
