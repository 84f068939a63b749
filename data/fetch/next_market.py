"""A market and what the sources answered make the market that follows it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

import pandas as pd
from pydantic import BaseModel

from data.catalogue.catalogue import Catalogue, shipped_catalogue
from data.catalogue.filed import filed_entry
from data.catalogue.series import SeriesEntry
from data.errors import InputError
from data.events.adding import events_market
from data.events.editions import reference_events
from data.events.own_rows import SHIPPED, own_rows, own_rows_hash, with_own_rows
from data.fetch.collect import Answers, Failure
from data.fetch.corrections import FILED_SOURCE, corrected_results
from data.fetch.filed import extend_filed
from data.fetch.merge import extend_capex, extend_series
from data.fetch.plan import Source, Span
from data.fetch.prices import Prices, extended_prices, through_the_gate
from data.market.manifest import BarUnits, FetchRecord
from data.market.snapshot import Snapshot
from data.market.tables import BARS, CAPEX, COVERAGE, FUNDING, GUIDANCE, PACES, SERIES
from data.market.units import refuse_changed_unit, refuse_series_unit
from data.sources.answers import FilingsAnswer, PriceAnswer, SeriesAnswer

Told = TypeVar("Told")
Used = TypeVar("Used")
Entry = TypeVar("Entry", bound=BaseModel)

AS_TRADED = BarUnits(prices="as_traded", volume="units")
ORIGIN = f"fetched: prices from Yahoo, series from FRED, results from SEC EDGAR after those of {SHIPPED}"


def new_market() -> Snapshot:
    """Return a market that holds no more than the shipped reference events."""
    return events_market(reference_events())


def extended(
    market: Snapshot, answers: Answers, record: FetchRecord, now: pd.Timestamp, catalogue: Catalogue
) -> Snapshot:
    """Add what was answered.

    Prices are kept as they were traded; adjusted closes are derived anew from them, the splits and the dividends.
    Results of companies follow on the shipped reference set, corrected where they were filed otherwise; it also gives
    guidance and funding. The user's own rows lie over all of them.

    Args:
        market: what is held.
        answers: what came. An answer that cannot be used is moved to the failures.
        record: what is wanted, and when each series answered before.
        now: UTC.
        catalogue: entries of all that is wanted.

    Returns:
        The market under its old name, made `now`.
    """

    def use_prices(told: tuple[Span, PriceAnswer]) -> Prices:
        return extended_prices(market, *told, catalogue.instrument(told[1].symbol))

    def use_series(told: SeriesAnswer) -> pd.DataFrame:
        return _series(market, told, record, now, catalogue.series_entry(told.name))

    def use_filings(told: FilingsAnswer) -> dict[str, pd.DataFrame]:
        return {name: _series(market, each, record, now, _filed_entry(name)) for name, each in told.series.items()}

    prices = _usable("yahoo", answers.prices, use_prices, answers.failures)
    for symbol, told in prices.items():
        span, answer = answers.prices[symbol]
        answers.prices[symbol] = (span, replace(answer, notes=(*answer.notes, *told.notes)))
    series = _usable("fred", answers.series, use_series, answers.failures)
    for filed in _usable("edgar", answers.filings, use_filings, answers.failures).values():
        series |= filed
    results = _usable("edgar", answers.companies, lambda told: CAPEX.conform(told.quarters), answers.failures)
    common, kept = shipped_catalogue(), market.kept_entries
    instruments = _kept(kept.instruments, catalogue.instruments, common.instruments, record.symbols, prices)
    filed_names = [name for each in answers.filings.values() for name in each.series]
    entries = {**catalogue.series, **{name: _filed_entry(name) for name in filed_names}}
    actions = pd.concat([_others(market.actions, "symbol", prices), *(told.actions for told in prices.values())])
    held = (_others(market.bars, "symbol", prices), _others(market.bars_aside, "symbol", prices)[list(BARS.columns)])
    bars, bars_aside = through_the_gate(
        pd.concat([*held, *(told.bars for told in prices.values())]), actions, instruments
    )
    reference = reference_events()
    shipped, corrections = corrected_results(reference[CAPEX.name], _filed(market, results.values()))
    own = own_rows()
    capex = extend_capex([shipped, *_held_results(market, results), *results.values()])
    events = with_own_rows({**reference, CAPEX.name: capex}, own)
    for name in results.keys() & corrections.keys():
        company = answers.companies[name]
        answers.companies[name] = replace(company, notes=(*company.notes, *corrections[name]))
    return replace(
        market,
        instruments=instruments,
        series_entries=_kept(kept.series, entries, common.series, (*record.series, *filed_names), series),
        companies=_kept(kept.companies, catalogue.companies, common.companies, record.companies, results),
        bars=bars,
        bars_aside=bars_aside,
        bar_units={**market.bar_units, **dict.fromkeys(prices, AS_TRADED)},
        actions=actions,
        actions_aside=pd.concat(
            [_others(market.actions_aside, "symbol", prices), *(told.aside for told in prices.values())]
        ),
        series=pd.concat([_others(market.series, "series", series), *series.values()]),
        capex_actuals=events[CAPEX.name],
        capex_guidance=events[GUIDANCE.name],
        funding_events=events[FUNDING.name],
        balance_sheet_paces=events[PACES.name],
        event_coverage=events[COVERAGE.name],
        own_events=own_rows_hash(own),
        filed_results=pd.concat(
            [
                _others(market.filed_results, "company", results),
                *(extend_filed(market.filed_results, answers.companies[name].versions) for name in results),
            ]
        ),
        origin=ORIGIN,
        made_at=now.to_pydatetime(),
    )


def _held_results(market: Snapshot, results: Mapping[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Results that are held, without those of the user; where one of these hid a filed one, what came goes first."""
    held = market.capex_actuals
    is_own = held["by_user"] != ""
    for company in held.loc[is_own, "company"].unique():
        if company in results:
            yield results[company]
    yield held[~is_own]


def _kept(
    held: Mapping[str, Entry],
    known: Mapping[str, Entry],
    common: Collection[str],
    wanted: Iterable[str],
    came: Collection[str],
) -> dict[str, Entry]:
    """Entries of a kind that a market keeps: those it has, of what came, and of all that is wanted and not shipped.

    The last because nobody else will know them when they are asked for again.
    """
    new = {name: known[name] for name in wanted if name not in common or name in came}
    return {**new, **held}


def _filed(market: Snapshot, results: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Results made of filings: those that came, and of other quarters those that are held."""
    held = market.capex_actuals
    rows = pd.concat([*results, held[held["source"].str.startswith(FILED_SOURCE)]])
    return rows.drop_duplicates(["company", "fiscal_period"])


def _usable(
    source: Source, told: dict[str, Told], use: Callable[[Told], Used], failures: list[Failure]
) -> dict[str, Used]:
    """What the answers of one source come to; one that cannot be used is taken out and told as a failure."""
    used = {}
    for name, answer in list(told.items()):
        try:
            used[name] = use(answer)
        except InputError as error:
            failures.append(Failure(source, name, str(error)))
            del told[name]
    return used


def _series(
    market: Snapshot, answer: SeriesAnswer, record: FetchRecord, now: pd.Timestamp, entry: SeriesEntry
) -> pd.DataFrame:
    """Rows of one series, the answer among them."""
    held = market.series[market.series["series"] == answer.name]
    refuse_series_unit(answer.name, answer.rows, entry)
    newest = (rows.drop_duplicates("date", keep="last").set_index("date")["value"] for rows in (held, answer.rows))
    refuse_changed_unit(answer.name, *newest)
    before = record.answered.get(answer.name)
    last_answer = None if before is None else pd.Timestamp(before)
    return SERIES.conform(extend_series(held, answer.rows, now, last_answer).assign(series=answer.name))


def _filed_entry(name: str) -> SeriesEntry:
    symbol, _, figure = name.rpartition(".")
    return filed_entry(symbol, figure)


def _others(table: pd.DataFrame, column: str, names: Collection[str]) -> pd.DataFrame:
    """Rows that are about none of these names."""
    return table[~table[column].isin(list(names))]
