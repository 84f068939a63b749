"""Write docs/exposures.md: what instruments answered to on real history, and what baskets by rule would have earned.

    python docs/write_exposures.py --market both

The market is one of real history with an index beside it (`reverse-qe data import --universe FOLDER --beside history`).
It needs the extra `sweep` and takes a minute or two. `make docs` does not run it.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from backtests.prepare.span import session_to_come
from backtests.run import Backtest, run_backtest
from backtests.spec.spec import Spec, load_spec
from backtests.studies.exposures import Exposures, study_exposures
from data.market.snapshot import Snapshot
from data.markets import open_market
from page_parts import paragraphs, table
from reverse_qe.words.studies import exposures as words
from strategies.rule import CHOSEN

ROOT = Path(__file__).resolve().parents[1]
PAGE, RULE = ROOT / "docs" / "exposures.md", ROOT / "docs" / "universe-rule.toml"
SHIPPED = "the shipped names"
VARIANTS: Mapping[str, Mapping[str, object]] = {
    "duration": {},
    "real yield": {"universe.rule.by": "real_yield"},
    "breakeven": {"universe.rule.by": "breakeven"},
    "credit spread": {"universe.rule.by": "credit_spread"},
    "net liquidity": {"universe.rule.by": "net_liquidity"},
}
HEAD = ("baskets by", "names", "growth a year", "volatility", "Sharpe", "largest loss", "static mix",
        "lead in Sharpe [95%]", "speculative alone", "cash flow alone")  # fmt: skip


def rows_of(runs: Mapping[str, Backtest]) -> list[tuple[str, ...]]:
    """A row for each choice of baskets."""
    return [_row(name, run) for name, run in runs.items()]


def _row(name: str, run: Backtest) -> tuple[str, ...]:
    own, luck = run.measures.strategy, run.evidence.luck
    assert luck is not None
    mix, long, short = (
        f"{run.measures.portfolios[each].sharpe:.2f}"
        for each in ("static_mix", "always_speculative", "always_cash_flow")
    )
    lead = f"{luck.value:+.2f} [{luck.low:+.2f}, {luck.high:+.2f}]"
    count = str(len(run.spec.universe.outside_reserve))
    measures = (f"{own.cagr:.1%}", f"{own.volatility:.1%}", f"{own.sharpe:.2f}", f"{own.max_drawdown:.0%}")
    return name, count, *measures, mix, lead, long, short


def rule_runs(market: Snapshot) -> dict[str, Backtest]:
    """The rule in its variants, and the shipped names over the same sessions."""
    runs = {
        name: run_backtest(load_spec(RULE, change), market, engine_name="vector") for name, change in VARIANTS.items()
    }
    days = runs["duration"].sessions
    span = {"run.start": str(days[0].date()), "run.end": str(days[-1].date())}
    return runs | {SHIPPED: run_backtest(load_spec("history", span), market, engine_name="vector")}


def exposures_text(found: Exposures) -> str:
    """The tables of a study, and what they say."""
    head = [column.name for column in words.slope_head(found)]
    return "\n\n".join(
        [
            f"{words.title(found)}:",
            table(head, words.slope_rows(found)),
            table(words.BASKET_HEAD, words.basket_rows(found)),
            table(words.AGREEMENT_HEAD, words.agreement_rows(found)),
            *([table(words.FILED_HEAD, filed)] if (filed := words.filed_rows(found)) else []),
            "\n".join(f"- {line}" for line in words.sentences(found)),
        ]
    )


def verdict(runs: Mapping[str, Backtest]) -> str:
    """What the runs say, and no more."""
    ruled = {name: run for name, run in runs.items() if name != SHIPPED}
    leads = {name: run.evidence.luck for name, run in ruled.items() if run.evidence.luck is not None}
    clear = [name for name, luck in leads.items() if luck.low > 0 or luck.high < 0]
    above = sum(luck.value > 0 for luck in leads.values())
    own, names = ruled["duration"].measures.strategy, runs[SHIPPED].measures.strategy
    told = (
        f"none of the {len(leads)} leads over the static mix can be told from luck"
        if not clear
        else f"{len(clear)} of the {len(leads)} leads over the static mix exclude 0: {', '.join(clear)}"
    )
    parted = ruled["duration"].measures.portfolios
    long, short = (parted[f"always_{basket}"].sharpe for basket in CHOSEN)
    return (
        f"**With names that nobody chose afterwards the rotation grows by {own.cagr:.1%} a year where the shipped "
        f"ones make "
        f"{names.cagr:.1%}, with a Sharpe ratio of {own.sharpe:.2f} against {names.sharpe:.2f}; {told}.** {above} of "
        f"{len(leads)} are above 0. By duration the long names alone have a Sharpe ratio of {long:.2f}, the short "
        f"ones of "
        f"{short:.2f}. Five variants were looked at here, and none was chosen by its result: `duration`, the "
        f"default, was set "
        "before."
    )


def page_text(market: Snapshot, spec: Spec) -> str:
    """The whole page."""
    found = study_exposures(spec, market, session_to_come(market))
    runs = rule_runs(market)
    days = runs["duration"].sessions
    sample, null = (open_market(name) for name in ("sample", "sample:null"))
    planted, none = (study_exposures(load_spec("sample"), each, session_to_come(each)) for each in (sample, null))
    return (
        "\n\n".join(
            [
                "# Exposures",
                paragraphs(
                    "What the baskets are called is a claim: that coins and software live on abundant liquidity "
                    "and lose when "
                    "money becomes dearer, and that memory makers do not. `data exposures` measures it. No "
                    "signal reads it."
                ),
                "    reverse-qe data exposures history --market history",
                paragraphs(
                    "`--date D` asks for another day, `--csv FILE` writes the slopes of every quarter, `--page "
                    "FILE` a page, "
                    "`--json` gives every figure; in Python: `reverse_qe.exposures(spec, market)`. It takes some "
                    "seconds."
                ),
                "## How it is measured",
                METHOD,
                "## On real history",
                exposures_text(found),
                paragraphs(plain_sentence(found)),
                "On the built-in sample, in which the effect is planted, and on `sample:null`, in which it is not:",
                "\n".join(
                    f"- `{each.snapshot.name}`: {line}"
                    for each in (planted, none)
                    for line in words.sentences(each)[1:3]
                ),
                SIZES,
                "## Baskets by rule, beside the shipped names",
                paragraphs(
                    "[The rule](universe-rule.md) chooses from the Information Technology sector of the index, "
                    "members as they "
                    f"were known, dead names kept; {days[0].date()} to {days[-1].date()}, fills at the close of "
                    f"the session:"
                ),
                "    reverse-qe data import --universe FOLDER --beside history --name both\n"
                "    reverse-qe backtest docs/universe-rule.toml --market both",
                table(HEAD, rows_of(runs)),
                paragraphs(verdict(runs)),
                paragraphs(
                    f"HINDSIGHT holds for the last row alone: {runs[SHIPPED].spec.universe.hindsight} Its coins "
                    f"are in no index: "
                    "the rows above it have none, so that the difference is not that of choosing stocks alone "
                    "([the lottery](lottery.md) draws within classes)."
                ),
                "`python docs/write_exposures.py --market both` writes this page.",
            ]
        )
        + "\n"
    )


def plain_sentence(found: Exposures) -> str:
    """What the tables of real history come to."""
    share = found.baskets.set_index("ranking")["share"]
    apart = found.baskets.set_index("ranking")["p_value"]["duration"]
    part = "parts" if apart < words.CHANCE else "is not shown to part"
    long, short = (found.ranked.index[found.ranked["basket"] == basket][0] for basket in CHOSEN)
    return (
        f"**On real history what these names answered to {part} the baskets**: by duration "
        f"{share['duration']:.0%} of pairs "
        f"stand as the idea has it, and half would by chance. The longest speculative name is {long}, the longest "
        f"cash_flow "
        f"one {short}. Implied durations and cash-flow yields cannot be ranked on this market, which has neither "
        f"shares "
        "outstanding nor books."
    )


SIZES = """\
Of 100 markets without a link (`sample:null@1` to `@100`) the baskets are apart by duration in 3, and in 14 by one of
the other rankings with all of them counted, where a fair 5% lies between 1 and 10. Of 30 made by the thesis they are
apart by duration in 28 (`python docs/study_sizes.py`)."""

METHOD = """\
- **Weekly returns**, from the last close before a week's first session to that before the next, on changes of the
  real yield (DFII10), the breakeven (T10YIE) and the Baa spread (BAA10Y) in one regression, and of net liquidity
  (assets of the Fed less Treasury account less reverse repo, one Wednesday) and of the signal's score in one each;
  beside each the return of the benchmark, without which the sign misleads. The last 104 weeks, 52 at least; errors by
  Newey and West with 5 lags.
- **As known then.** A week counts from the third session after it, with what was public by then, each figure as first
  told: a later revision moves no estimate. Cutting or garbling the future moves none either, which is tested.
- **Drawn towards the mean** of the names, the less certain the more: s w + mean (1 - w), with w the variance across
  names over that and the square of the error (Vasicek 1973).
- **Duration** is z(-slope on the real yield) + z(-slope on the Baa spread). *Pairs* says in how many pairs of one
  speculative and one cash_flow name the speculative one ranks as the idea has it; *apart by*, how much more the basket
  answers: of the returns of one less those of the other, so that names that move together count once, with errors HC2
  and the degrees of freedom of Bell and McCaffrey (Imbens and Kolesár 2016). A test of ranks finds 31 of 100 markets
  without a link apart.
- **Implied duration** is that of Dechow, Sloan and Soliman (2004), and the yield is free cash flow over market value.
  A market tells them where it has prices as traded and the series `MU.shares` (millions), `MU.book`,
  `MU.earnings`, `MU.sales` and `MU.free_cash_flow` (millions of US dollars; of the year that ends on the date).
  [`data fetch --filings`](fetching.md#filings) brings them of US stocks, else [your own](own-tickers.md#series)
  serve; results stand in for the last. What is over 460 days old is not used; what is missing is said."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--market", required=True, help="real history with an index beside it")
    PAGE.write_text(page_text(open_market(parser.parse_args().market), load_spec("history")), encoding="utf-8")
