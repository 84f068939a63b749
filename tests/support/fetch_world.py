"""Sources in memory for tests of fetching: what they have, what fails, and what they were asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from data.catalogue.companies import Company
from data.catalogue.instruments import Instrument, instrument_entry
from data.catalogue.publication import publication_times
from data.catalogue.series import SeriesEntry
from data.clock import calendar_sessions
from data.events.editions import reference_events
from data.fetch.collect import Report, Sources
from data.market.tables import CAPEX, FILED
from data.net.errors import SourceError
from data.sources.answers import FilingsAnswer, Listing, PriceAnswer, Profile, SeriesAnswer
from data.sources.edgar import CompanyAnswer


@dataclass
class World:
    """Bars by symbol (``date``, prices, volume), actions by symbol, values by series; failures by name."""

    bars: dict[str, pd.DataFrame] = field(default_factory=dict)
    actions: dict[str, pd.DataFrame] = field(default_factory=dict)
    series: dict[str, pd.DataFrame] = field(default_factory=dict)
    quarters: dict[str, pd.DataFrame] = field(default_factory=dict)
    listings: dict[str, Listing] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    filings: dict[str, FilingsAnswer] = field(default_factory=dict)
    failing: dict[str, SourceError] = field(default_factory=dict)
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def sources(self) -> Sources:
        return Sources(
            prices=self._prices,
            series=self._series,
            company=self._company,
            filings=self._filings,
            listing=self._listing,
            profile=self._profile,
        )

    def _prices(
        self, instruments: Mapping[str, Instrument], first: pd.Timestamp, last: pd.Timestamp, _report: Report
    ) -> dict[str, PriceAnswer | SourceError]:
        answers: dict[str, PriceAnswer | SourceError] = {}
        for symbol, entry in instruments.items():
            self.asked.append((symbol, str(first.date()), str(last.date())))
            answers[symbol] = self.failing.get(symbol) or self._price_answer(symbol, entry, first, last)
        return answers

    def _price_answer(self, symbol: str, entry: Instrument, first: pd.Timestamp, last: pd.Timestamp) -> PriceAnswer:
        bars, actions = self.bars[symbol], self.actions.get(symbol, no_actions())
        begins, ends = max(first, bars["date"].min()), min(last, bars["date"].max())  # Nothing is told beyond these.
        bars = bars[bars["date"].between(first, last)].reset_index(drop=True)
        actions = actions[actions["date"].between(first, last)].reset_index(drop=True)
        sessions = calendar_sessions(entry.calendar, begins, ends)
        return PriceAnswer(symbol, bars, actions, sessions.difference(pd.DatetimeIndex(bars["date"])))

    def _series(self, name: str, first: pd.Timestamp, _entry: SeriesEntry) -> SeriesAnswer:
        self.asked.append((name, str(first.date())))
        if name in self.failing:
            raise self.failing[name]
        rows = self.series[name]
        return SeriesAnswer(name, rows[rows["date"] >= first].reset_index(drop=True))

    def _listing(self, symbol: str) -> Listing:
        self.asked.append((symbol, "listing"))
        if symbol in self.failing:
            raise self.failing[symbol]
        return self.listings[symbol]

    def _profile(self, company: str) -> Profile:
        self.asked.append((company, "profile"))
        if company in self.failing:
            raise self.failing[company]
        return self.profiles[company]

    def _filings(self, symbol: str, _entry: Company | None) -> FilingsAnswer:
        self.asked.append((symbol, "filings"))
        if symbol in self.failing:
            raise self.failing[symbol]
        return self.filings[symbol]

    def _company(self, name: str, _entry: Company) -> CompanyAnswer:
        self.asked.append((name,))
        if name in self.failing:
            raise self.failing[name]
        return CompanyAnswer(name, self.quarters.get(name, CAPEX.empty()), FILED.empty())


def made_bars(symbol: str, first: str, last: str, close: float = 100.0) -> pd.DataFrame:
    """A bar a session of the instrument, each close 1 above the one before."""
    days = calendar_sessions(instrument_entry(symbol).calendar, pd.Timestamp(first), pd.Timestamp(last))
    closes = close + pd.RangeIndex(len(days)).to_numpy(dtype=float)
    return pd.DataFrame(
        {"date": days, "open": closes, "high": closes + 1, "low": closes - 1, "close": closes, "volume": 1000.0}
    )


def made_action(day: str, kind: str, value: float) -> pd.DataFrame:
    moment = pd.Timestamp(day)
    return pd.DataFrame(
        {"date": [moment], "kind": [kind], "value": [value], "known_at": [moment.tz_localize("UTC")]}
    ).astype({"date": "datetime64[us]", "known_at": "datetime64[us, UTC]"})


def no_actions() -> pd.DataFrame:
    return made_action("2000-01-03", "dividend", 1.0).iloc[:0]


def made_series(values: dict[str, float]) -> pd.DataFrame:
    days = pd.DatetimeIndex(list(values)).as_unit("us")
    known_at = publication_times(days, "next_business_day")
    return pd.DataFrame({"date": days, "value": list(values.values()), "known_at": known_at})


def made_quarter(company: str, fiscal_period: str, end: str, capex: float) -> pd.DataFrame:
    """A quarter of a company in the shape of the shipped ones, announced 30 days after its end."""
    announced = pd.Timestamp(end) + pd.Timedelta(days=30)
    known_at = (announced + pd.Timedelta(hours=21, minutes=30)).tz_localize("UTC")
    row = (
        reference_events()[CAPEX.name]
        .iloc[[0]]
        .assign(
            company=company,
            fiscal_period=fiscal_period,
            period_end=pd.Timestamp(end),
            announced_at=announced,
            capex_usd_bn=capex,
            capex_known_at=known_at,
            ocf_known_at=known_at,
        )
    )
    return CAPEX.conform(row)
