"""Asking the sources for what a market lacks; what one of them fails to give costs nothing that the others give."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal, TypeVar

import pandas as pd

from data.catalogue.catalogue import Catalogue, shipped_catalogue
from data.catalogue.companies import Company
from data.catalogue.instruments import Instrument
from data.catalogue.series import SeriesEntry
from data.errors import InputError
from data.fetch.closings import exchange_notes, judged, odd_days
from data.fetch.merge import has_another_past
from data.fetch.plan import Due, Source, Span, by_span
from data.market.snapshot import Snapshot
from data.net.errors import BlockedError, NoNetworkError, RateLimitError, SourceError
from data.net.settings import SourceSettings
from data.sources.answers import FilingsAnswer, Listing, PriceAnswer, Profile, SeriesAnswer
from data.sources.edgar import CompanyAnswer

# After these a source is asked no further.
ENDS = (NoNetworkError, RateLimitError, BlockedError)

FailureKind = Literal["no_network", "not_asked", "refused"]
Report = Callable[[str], None]
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Sources:
    """How each source is asked.

    Attributes:
        prices: of instruments, by symbol, from one day to another, inclusive; an error stands in the place of an
            answer.
        series: of a series from a day on, by its entry; raises `SourceError`.
        company: of a company's results, by its entry; raises `SourceError`.
        filings: of the years of the company behind an instrument, by its entry where there is one; raises
            `SourceError`.
        listing: what an instrument of no catalogue is; raises `SourceError`.
        profile: what a company of no catalogue is; raises `SourceError`, or `InputError` for lack of a contact.
    """

    prices: Callable[
        [Mapping[str, Instrument], pd.Timestamp, pd.Timestamp, Report], Mapping[str, PriceAnswer | SourceError]
    ]
    series: Callable[[str, pd.Timestamp, SeriesEntry], SeriesAnswer]
    company: Callable[[str, Company], CompanyAnswer]
    filings: Callable[[str, Company | None], FilingsAnswer]
    listing: Callable[[str], Listing]
    profile: Callable[[str], Profile]


@dataclass(frozen=True)
class Failure:
    """What did not come.

    Attributes:
        source: that was asked.
        name: the symbol, series or company.
        reason: one line for people.
        how: "no_network", the source was out of reach; "not_asked", it was not asked, for lack of a setting; "refused",
            it was reached, and what it gave is of no use.
    """

    source: Source
    name: str
    reason: str
    how: FailureKind = "refused"


@dataclass
class Answers:
    """What came, by name, and what did not."""

    prices: dict[str, tuple[Span, PriceAnswer]] = field(default_factory=dict)
    series: dict[str, SeriesAnswer] = field(default_factory=dict)
    companies: dict[str, CompanyAnswer] = field(default_factory=dict)
    filings: dict[str, FilingsAnswer] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    exchange_notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.prices or self.series or self.companies or self.filings)

    def notes(self) -> Iterator[str]:
        """What the sources add, one line each, by name."""
        told: list[tuple[str, tuple[str, ...]]] = [(name, each.notes) for name, (_, each) in self.prices.items()]
        told += [(name, series.notes) for name, series in self.series.items()]
        told += [(name, company.notes) for name, company in self.companies.items()]
        told += [(name, filings.notes) for name, filings in self.filings.items()]
        for name, notes in told:
            for note in notes:
                yield note if note.startswith(name) else f"{name}: {note}"
        yield from self.exchange_notes
        if self.filings:
            none = [name for name, filings in self.filings.items() if not filings.series]
            lacking = f"; none of {', '.join(none)}" if none else ""
            yield f"figures of {len(self.filings) - len(none)} of {len(self.filings)} companies came{lacking}"


def public_sources(settings: SourceSettings) -> Sources:
    """Return the real sources: Yahoo for prices, FRED for series, SEC EDGAR for results."""
    from data.sources import edgar, fred, yahoo
    from data.sources.company_facts.asking import fetch_filings
    from data.sources.edgar_asking import contact

    @cache
    def tickers() -> Mapping[str, Any]:
        return edgar.tickers(settings, {"User-Agent": contact()})

    return Sources(
        prices=lambda instruments, first, last, report: yahoo.fetch_prices(
            instruments, first, last, settings, report, catalogue=instruments
        ),
        series=lambda name, first, entry: fred.fetch_series(name, first, settings, entry=entry),
        company=lambda name, entry: edgar.fetch_company(name, settings, entry),
        filings=lambda symbol, entry: fetch_filings(symbol, settings, entry, tickers),
        listing=lambda symbol: yahoo.fetch_listing(symbol, settings),
        profile=lambda company: edgar.fetch_profile(company, settings),
    )


def ask(due: Due, market: Snapshot, sources: Sources, report: Report, catalogue: Catalogue | None = None) -> Answers:
    """Ask for all that is due, source by source.

    Where Yahoo has rewritten days of an instrument that are held, all of its days are asked for anew: a history told
    half one way and half another would be worse than one that is late.

    Args:
        due: what to ask for.
        market: what is held.
        sources: how to ask.
        report: is told what is under way.
        catalogue: entries of all that is due; default the shipped ones.
    """
    answers, known = Answers(), catalogue or shipped_catalogue()
    _ask_for_prices(due.prices, sources, answers, report, known)
    _ask_for_prices(_take_out_rewritten(answers, market), sources, answers, report, known)
    _judge_sessions(answers, market, known)
    series = {
        name: lambda name=name, first=first: sources.series(name, first, known.series_entry(name))
        for name, first in due.series.items()
    }
    answers.series.update(_one_by_one("fred", series, answers.failures, report))
    companies = {name: lambda name=name: sources.company(name, known.company(name)) for name in due.companies}
    answers.companies.update(_one_by_one("edgar", companies, answers.failures, report))
    filings = {name: lambda name=name: sources.filings(name, known.companies.get(name)) for name in due.filings}
    answers.filings.update(_one_by_one("edgar", filings, answers.failures, report, " filings"))
    return answers


def _take_out_rewritten(answers: Answers, market: Snapshot) -> dict[str, Span]:
    """Drop the answers that tell days otherwise than they are held; return the days to ask for instead."""
    anew = {}
    for symbol, (span, answer) in list(answers.prices.items()):
        held = market.bars_of(symbol)
        if not held.empty and held["date"].iloc[0] < span.first and has_another_past(held, answer.bars):
            anew[symbol] = Span(held["date"].iloc[0], span.last)
            del answers.prices[symbol]
    return anew


def _ask_for_prices(
    due: Mapping[str, Span], sources: Sources, answers: Answers, report: Report, known: Catalogue
) -> None:
    end: Failure | None = None
    for span, symbols in by_span(due).items():
        if end is not None:
            answers.failures += [replace(end, name=symbol) for symbol in symbols]
            continue
        instruments = {symbol: known.instrument(symbol) for symbol in symbols}
        told = sources.prices(instruments, span.first, span.last, lambda stage: report(f"yahoo: {stage}"))
        for symbol in symbols:
            answer = told[symbol]
            if isinstance(answer, SourceError):
                answers.failures.append(failure_of("yahoo", symbol, answer))
                end = answers.failures[-1] if isinstance(answer, ENDS) else end
            else:
                answers.prices[symbol] = (span, answer)


def _judge_sessions(answers: Answers, market: Snapshot, known: Catalogue) -> None:
    """Drop the answers that lack too many sessions; which are missing, only all instruments of an exchange can tell."""
    came = [answer for _, answer in answers.prices.values()]
    odd = odd_days(market, came, known.instruments)
    answers.exchange_notes = tuple(exchange_notes(came, odd))
    for symbol, (span, answer) in list(answers.prices.items()):
        try:
            answers.prices[symbol] = (span, judged(answer, odd[symbol]))
        except SourceError as error:
            answers.failures.append(failure_of("yahoo", symbol, error))
            del answers.prices[symbol]


def _one_by_one(
    source: Source, questions: Mapping[str, Callable[[], Answer]], failures: list[Failure], report: Report, of: str = ""
) -> dict[str, Answer]:
    """Put the questions one after another, until the source is out of reach or does not want to be asked."""
    answers: dict[str, Answer] = {}
    end: Failure | None = None
    for place, (name, ask_it) in enumerate(questions.items(), start=1):
        if end is not None:
            failures.append(replace(end, name=name + of))
            continue
        report(f"{source}: {name}{of} ({place} of {len(questions)})")
        try:
            answers[name] = ask_it()
        except (SourceError, InputError) as error:
            failures.append(failure_of(source, name + of, error))
            end = failures[-1] if isinstance(error, ENDS) else None
    return answers


def failure_of(source: Source, name: str, error: Exception) -> Failure:
    """What an error comes to."""
    how: FailureKind = "refused" if isinstance(error, SourceError) else "not_asked"
    return Failure(source, name, str(error), "no_network" if isinstance(error, NoNetworkError) else how)
