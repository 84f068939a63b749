"""The honest lines of a run in words: is it luck, is it one stay, who chose the names; and its rivals."""

from backtests.evidence.best_stay import BestStay
from backtests.evidence.honest_lines import HonestLines
from backtests.evidence.sharpe_difference import SharpeDifference
from backtests.run import Backtest

# The rivals of the screen; the page has all of them.
ON_SCREEN = ("price_momentum", "signal_without_drain")
RIVAL_HEAD = ("", "Sharpe", "the strategy's less that", "95% interval", "can it be told from luck")
NO_HINDSIGHT = "the spec names no hindsight in its choice of instruments"


def honest_sentences(run: Backtest) -> list[str]:
    """The three lines: luck, one stay, names."""
    lines = run.evidence
    names = f"Names: {_names(lines)}."
    if not run.counts.orders.traded:
        return [f"Luck: {_luck(run)}.", "One stay: none was traded.", names]
    return [f"Luck: {_luck(run)}.", f"One stay: {_stay(run, lines.best_stay)}.", names]


def rival_sentence(run: Backtest) -> str:
    """How the strategy stands to the rivals of the screen; empty where they cannot be compared."""
    told = [
        f"{plain_name(name)} {_ratio(run, name)}, {interval(run.evidence.rivals[name])}"
        for name in ON_SCREEN
        if name in run.evidence.rivals
    ]
    return f"Rivals at the same budgets, and the strategy's lead in Sharpe: {'; '.join(told)}." if told else ""


def rival_rows(run: Backtest) -> list[tuple[str, ...]]:
    """The static mix and every rival, one row each under `RIVAL_HEAD`."""
    differences = {"static_mix": run.evidence.luck, **run.evidence.rivals}
    return [
        (
            plain_name(name),
            _ratio(run, name),
            f"{each.value:+.2f}",
            f"{each.low:+.2f} to {each.high:+.2f}",
            "yes" if each.excludes_zero else "no",
        )
        for name, each in differences.items()
        if each is not None
    ]


def plain_name(name: str) -> str:
    """A portfolio's name for people."""
    return name.replace("_", " ")


def interval(difference: SharpeDifference) -> str:
    """A difference of Sharpe ratios with its interval of 95%."""
    return f"{difference.value:+.2f} [{difference.low:+.2f}, {difference.high:+.2f}]"


def _luck(run: Backtest) -> str:
    luck = run.evidence.luck
    if luck is None:
        return f"not measured ({run.evidence.unknown})"
    told = f"Sharpe {_ratio(run, 'strategy')} against {_ratio(run, 'static_mix')} of the static mix, {interval(luck)}"
    if not luck.excludes_zero:
        return f"{told}: cannot be told from luck"
    return f"{told}: {'' if luck.value > 0 else 'worse, and '}more than luck explains"


def _stay(run: Backtest, stay: BestStay | None) -> str:
    if stay is None:
        return "not told, for the strategy or the static mix lost everything"
    when = f"{stay.regime} from {stay.start.date()} to {stay.end.date()}"
    if stay.share is None:
        return f"nothing was gained on the static mix; the best stay, {when}, made {stay.gain:+.1%} on it"
    sharpe = "none" if stay.sharpe is None else f"{stay.sharpe:.2f}"
    mix = run.measures.portfolios["static_mix"].final_equity_usd
    return (
        f"{when} made {stay.share:.0%} of the growth beyond the static mix; without it "
        f"{stay.final_equity_usd:,.0f} USD are left (static mix {mix:,.0f}), Sharpe {sharpe}"
    )


def _names(lines: HonestLines) -> str:
    return lines.names.rstrip(".") or NO_HINDSIGHT


def _ratio(run: Backtest, name: str) -> str:
    sharpe = run.measures.portfolios[name].sharpe
    return "-" if sharpe is None else f"{sharpe:.2f}"
