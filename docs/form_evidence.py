"""Sections of docs/signal-evidence.md that lay the forms of the signal side by side; see write_signal_evidence.py."""

from collections.abc import Mapping

import pandas as pd

from backtests.evidence.sharpe_difference import sharpe_differences
from backtests.measures.performance import performance
from backtests.run import Backtest
from backtests.studies.ablation import FULL, VariantRun, regime_shares, variant_table
from backtests.studies.anatomy import QUARTER, first_live, gate_crossings, shares_by_ratio, shares_by_year, stay_leads
from backtests.studies.gauge import Gauge
from page_parts import REGIMES, difference, excludes_zero, listed, paragraphs, shares, table, verdict

PUBLISHED = pd.Timestamp("2026-02-09")
"""Day on which the idea was published; what counts as after it begins with the session that follows."""
RIVALS = ("signal_without_drain", "gate_alone", "one_switch", "price_momentum", "static_mix", "benchmark")

Forms = Mapping[str, Backtest]


def forms_section(forms: Forms) -> str:
    """What each form came to, beside what needs less of an idea."""
    default = next(iter(forms.values()))
    others = {name: run.returns["strategy"] for name, run in forms.items() if run is not default}
    others |= {name: default.returns[name] for name in RIVALS}
    lead = sharpe_differences(default.returns["strategy"], pd.DataFrame(others), default.risk_free)
    rows = []
    measured = {name: (run.measures.strategy, regime_shares(run.signal, run.sessions)) for name, run in forms.items()}
    nothing = dict.fromkeys(REGIMES, float("nan"))
    measured |= {name: (default.measures.portfolios[name], nothing) for name in RIVALS}
    for name, (measures, regimes) in measured.items():
        row = pd.Series({"difference": float("nan")}) if name not in lead else _as_row(lead[name])
        rows.append(
            (
                name.replace("_", " "),
                f"{measures.sharpe:.2f}",
                difference(row),
                f"{measures.cagr:.1%}",
                f"{measures.max_drawdown:.1%}",
                f"{measures.turnover:.0%}",
                *shares(pd.Series(regimes)),
            )
        )
    clear = [name.replace("_", " ") for name, each in lead.items() if each.excludes_zero]
    header = ("", "Sharpe", "form 2 less that", "CAGR", "max. drawdown", "turnover", *REGIMES)
    told = f"Told from luck: form 2 against {listed(clear)}." if clear else "Nothing here is told apart from luck."
    return f"{table(header, rows)}\n\n{paragraphs(told)}"


def stays_section(forms: Forms) -> str:
    """Every stay in a regime, and what is left without the best."""
    parts = []
    for name, run in forms.items():
        rows = [
            (
                str(stay.start.date()),
                str(stay.end.date()),
                str(stay.sessions),
                _kind(run, stay.start, stay.regime),
                f"{stay.lead:+.3f}",
                f"{stay.share:.0%}",
            )
            for stay in stay_leads(run.rotations).itertuples(index=False)
        ]
        leads, best, mix = stay_leads(run.rotations), run.evidence.best_stay, run.measures.portfolios["static_mix"]
        parts.append(table((name, "to", "sessions", "regime", "lead", "share of all"), rows))
        if best is None or best.share is None:
            continue
        parts.append(
            paragraphs(
                f"{int((leads['lead'] > 0).sum())} of {len(leads)} stays gained on the static mix. The best one, from "
                f"{best.start.date()}, made {best.share:.0%} of the whole lead. Without it "
                f"{best.final_equity_usd:,.0f} USD are left of {run.measures.strategy.final_equity_usd:,.0f} (static "
                f"mix {mix.final_equity_usd:,.0f}), at a Sharpe ratio of {best.sharpe:.2f} (static mix "
                f"{mix.sharpe:.2f})."
            )
        )
    return "\n\n".join(parts)


def published_section(forms: Forms) -> str:
    """What came after the idea was published."""
    default = next(iter(forms.values()))
    returns = pd.DataFrame({name: run.returns["strategy"] for name, run in forms.items()})
    returns = returns.join(default.returns[list(RIVALS)]).loc[PUBLISHED + pd.Timedelta(days=1) :]
    bill = default.risk_free.loc[PUBLISHED + pd.Timedelta(days=1) :]
    rows = []
    for name, values in returns.items():
        measures = performance(values, bill)
        rows.append((str(name).replace("_", " "), f"{(1 + values).prod() - 1:+.1%}", f"{measures.max_drawdown:.1%}"))
    words = (
        f"The {len(returns)} sessions from {returns.index[0].date()} to {returns.index[-1].date()}, after the day on "
        "which the idea was published. They are too few for a ratio, and form 2 was written after them: they are no "
        "test of it. Of form 1 the thresholds were set in October 2026 too."
    )
    return f"{paragraphs(words)}\n\n{table(('', 'return', 'max. drawdown'), rows)}"


def where_section(forms: Forms) -> str:
    """Where each form speaks: by ratio, by year, from when on."""
    parts = []
    for title, cut in (("capex over cash flow", shares_by_ratio), ("year", shares_by_year)):
        tables = [cut(run.signal, run.sessions) for run in forms.values()]
        rows = [
            (str(band), f"{first['sessions']:.0f}", *(cell for each in tables for cell in shares(each.loc[band])))
            for band, first in tables[0].iterrows()
        ]
        head = [f"{name}: {regime}" for name in forms for regime in REGIMES]
        parts.append(table((title, "sessions", *head), rows))
    default = next(iter(forms.values()))
    crossings = gate_crossings(default.signal)
    days = [f"{row.session.date()} ({'opens' if row.opens else 'closes'})" for row in crossings.itertuples(index=False)]
    parts.append(
        paragraphs(
            f"The gate has crossed its middle {len(crossings)} times for at least {QUARTER} sessions: {listed(days)}. "
            "So many independent trials of the threshold there are, and no more, whatever the number of sessions."
        )
    )
    live = first_live(default.signal).dropna()
    parts.append(paragraphs("First session on which an input of form 2 has a value:"))
    parts.append(table(("input", "first session"), [(f"`{name}`", str(day.date())) for name, day in live.items()]))
    return "\n\n".join(parts)


def choices_section(run: Backtest, others: list[VariantRun]) -> str:
    """What one choice moves."""
    compared = variant_table(run, others)
    rows = []
    for each in others:
        row = compared.loc[each.variant.name]
        moved = (each.signal.regime.loc[run.sessions] != run.signal.regime.loc[run.sessions]).mean()
        ratio = f"{row['sharpe']:.2f}"
        rows.append((each.variant.name, f"{moved:.0%}", ratio, difference(row), f"{row['cagr']:.1%}", *shares(row)))
    only = compared.drop(FULL)
    header = ("", "sessions of another regime", "Sharpe", "less that of form 2", "CAGR", *REGIMES)
    words = (
        f"Sharpe ratios lie between {only['sharpe'].min():.2f} and {only['sharpe'].max():.2f}, CAGRs between "
        f"{only['cagr'].min():.1%} and {only['cagr'].max():.1%}; form 2 as written has "
        f"{compared.loc[FULL, 'sharpe']:.2f} and {compared.loc[FULL, 'cagr']:.1%}. {verdict(only)}"
    )
    return f"{table(header, rows)}\n\n{paragraphs(words)}"


def simulated_section(
    real: Gauge, simulated: list[Gauge], luck: tuple[float, float, float], effects: list[float]
) -> str:
    """What the thesis would look like, beside what real history shows."""

    def slopes(gauge: Gauge) -> pd.DataFrame:
        return gauge.responses[gauge.responses["driver"] == "score"].set_index("leg")

    found, rows = pd.DataFrame([slopes(each)["slope"] for each in simulated]), []
    for leg, row in slopes(real).iterrows():
        if leg not in found:
            continue
        median = found[leg].median()
        inside = "yes" if row["low"] <= median <= row["high"] else "no"
        interval = f"{row['slope']:+.2%} [{row['low']:+.2%}, {row['high']:+.2%}]"
        rows.append(
            (str(leg).replace("_", " "), f"{median:+.2%}", interval, inside, "yes" if excludes_zero(row) else "no")
        )
    value, low, high = luck
    effect = float(pd.Series(effects).median())
    inside = "yes" if low <= effect <= high else "no"
    told = "yes" if low > 0 or high < 0 else "no"
    rows.append(
        ("Sharpe, rotation less static mix", f"{effect:+.2f}", f"{value:+.2f} [{low:+.2f}, {high:+.2f}]", inside, told)
    )
    header = ("", f"simulated, median of {len(simulated)}", "real history", "holds the simulated", "excludes 0")
    words = (
        "The sample market is made by the thesis. Here is what the default rotation meets there, and what it has met "
        "on real history. An interval that holds both 0 and the simulated effect cannot tell the thesis from nothing."
    )
    return f"{paragraphs(words)}\n\n{table(header, rows)}"


def _kind(run: Backtest, day: pd.Timestamp, regime: str) -> str:
    kind = "" if run.signal.kind is None else str(run.signal.kind[day])
    return f"{regime}, {kind}" if kind else regime


def _as_row(lead: object) -> "pd.Series[float]":
    return pd.Series({"difference": lead.value, "low": lead.low, "high": lead.high})  # type: ignore[attr-defined]
