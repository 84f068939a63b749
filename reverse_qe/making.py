"""The words that make markets: `import_files` and `fetch`, and how entries of instruments come into a spec's file."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from backtests.prepare.needs import needs_of
from backtests.spec.spec import REAL_HISTORY, Spec, is_shipped, load_spec
from data.catalogue.catalogue import Catalogue, catalogue_of
from data.catalogue.own import OwnCatalogue, Proposal
from data.errors import InputError
from data.fetch.plan import SOURCES, Source
from data.files.paths import usable_path
from data.market.manifest import FetchRecord
from data.market.snapshot import Snapshot
from data.market.versions import require_no_version, versions_of
from data.quality.report import QualityReport
from reverse_qe.arguments import as_day, folders, market_name, several_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.fetch.collect import Sources
    from data.fetch.fetch import FetchOutcome
    from data.fetch.proposals import Proposals

LIVE = "live"
# Without a network three sources after each other are to be found out of reach within 10 seconds.
CONNECT_SECONDS = 2.5


@dataclass(frozen=True)
class ImportedFiles:
    """A market that was imported: what it holds, what is odd in it, the folder that keeps it, entries proposed."""

    snapshot: Snapshot
    quality: QualityReport
    folder: Path
    proposed: tuple[Proposal, ...] = ()


def import_files(
    name: str | None,
    prices: str | Path | Sequence[str | Path],
    *,
    macro: str | Path | Sequence[str | Path] | None = None,
    events: str | Path | None = None,
    actions: str | Path | None = None,
    spec: str | Path | Mapping[str, Any] | Spec | None = None,
) -> ImportedFiles:
    """Import CSV files as a new market, which is kept under its name.

    Args:
        name: that is free; None: the market that the spec names.
        prices: folder of <SYMBOL>.csv with daily prices, or several: of an instrument in more than one the last counts.
        macro: folder of <SERIES>.csv with dates and values, or several: of a series in more than one the last counts.
            None: a market without series.
        events: folder of capex_actuals.csv, capex_guidance.csv, funding_events.csv; None: the shipped ones.
        actions: file of dividends, splits and delistings; None: none.
        spec: what it names is taken of the files, and its entries hold beside the shipped ones; entries of instruments
            that nobody knows are proposed, and written into it where it is a file. None: all files are taken.

    Raises:
        InputError: the name is taken, or a file has a fault: file, line and reason.
    """
    from backtests.spec.written_entries import write_entries
    from data.importing.folders import import_snapshot
    from data.market.snapshot import new_folder, save

    chosen = None if spec is None else load_spec(spec)
    if name is None:
        name = None if chosen is None else chosen.run.market
        if name is None:
            raise InputError("got no name for the market, wanted one, or a spec that names it: run.market")
    require_no_version(market_name(name))
    new_folder(name)  # refuses a name that is taken before the files are read
    events_folder = None if events is None else usable_path(events, "events")
    actions_file = None if actions is None else usable_path(actions, "actions")
    series = [] if macro is None else folders(macro, "macro")
    price_folders = folders(prices, "prices")
    own, wanted = _asked_by(chosen)
    file = _own_file(spec)
    proposed = _from_files(price_folders, own, wanted) if file is not None and wanted else ()
    own = own.with_proposed(proposed)
    snapshot, quality = import_snapshot(price_folders, series, events_folder, name, actions_file, own, wanted)
    if file is not None:
        write_entries(file, proposed)
    return ImportedFiles(snapshot, quality, save(snapshot), proposed)


def import_universe(name: str, folder: str | Path, beside: str | None = None) -> ImportedFiles:
    """Import the folder of an index as a market of closes alone: members by date, dead names kept.

    Args:
        name: that is free.
        folder: as `data.importing.universe.read_universe` has it.
        beside: a market whose bars, series and events are taken too, so that one market has both.

    Raises:
        InputError: the name is taken, a file is missing or has a fault, or there is no such market.
    """
    from data.importing.universe import import_universe as read
    from data.market.snapshot import new_folder, save
    from data.markets import open_market

    require_no_version(market_name(name))
    new_folder(name)
    market = None if beside is None else open_market(beside)
    snapshot, quality = read(usable_path(folder, "folder"), name, market)
    return ImportedFiles(snapshot, quality, save(snapshot))


def import_exported(name: str, folder: str | Path) -> ImportedFiles:
    """Import a folder of Parquet files that `data export` wrote: the same market, with all its moments and entries.

    Args:
        name: that is free.
        folder: of tables and their manifest.

    Raises:
        InputError: the name is taken, or a file is missing or is not what was written.
    """
    from data.market.snapshot import new_folder, read_files, save
    from data.quality.report import quality_report

    require_no_version(market_name(name))
    new_folder(name)
    snapshot = replace(read_files(usable_path(folder, "folder")), name=name, gate=False)
    return ImportedFiles(snapshot, quality_report(snapshot), save(snapshot))


def fetch(
    name: str | None = None,
    *,
    spec: str | Path | Mapping[str, Any] | Spec | None = None,
    symbols: Collection[str] = (),
    series: Collection[str] = (),
    companies: Collection[str] = (),
    start: date | str | None = None,
    filings: bool = False,
    sources: Collection[Source] = SOURCES,
    report: "Callable[[str], None]" = lambda _stage: None,
) -> "FetchOutcome":
    """Fetch what a market lacks from Yahoo, FRED and SEC EDGAR, as a new version of it.

    Args:
        name: of the market; its newest version is extended. None: the market that the spec names, else ``live``.
        spec: whose instruments, series and companies are wanted, and whose entries hold beside the shipped ones;
            entries of instruments that nobody knows are proposed, and written into it where it is a file. None: the
            shipped one, for a new market.
        symbols: instruments that are wanted in their place.
        series: macro series that are wanted in their place.
        companies: companies whose results are wanted in their place.
        start: first day that is wanted.
        filings: want what filings tell of every US stock of the market, from now on: shares, book equity, and
            earnings, sales and free cash flow by year. No signal reads it.
        sources: to ask.
        report: is told what is under way.

    Raises:
        InputError: something wanted is in no catalogue and no source tells enough of it, a source is unknown, the name
            cannot have versions, or an entry of the spec contradicts the market or a shipped one.
        BusyError: another process changes the market.
    """
    from data.fetch.collect import public_sources
    from data.fetch.fetch import fetch as fetch_market
    from data.net.settings import SourceSettings

    if unknown := [source for source in several_names(sources, "sources") if source not in SOURCES]:
        raise InputError(f"got the source {', '.join(unknown)}, wanted some of: {', '.join(SOURCES)}")
    if filings and "edgar" not in sources:
        raise InputError("got filings without the source edgar, wanted it among the sources")
    first = as_day(start, "start")
    wanted = FetchRecord(
        symbols=several_names(symbols, "symbols"),
        series=several_names(series, "series"),
        companies=several_names(companies, "companies"),
        start=None if first is None else first.date(),
    )
    chosen = None if spec is None else load_spec(spec)
    market = market_name(name if name is not None else (chosen and chosen.run.market) or LIVE)
    if chosen is not None or not versions_of(market):
        needs = needs_of(chosen or load_spec(REAL_HISTORY))
        named = {key: getattr(wanted, key) or getattr(needs, key) for key in ("symbols", "series", "companies")}
        wanted = wanted.model_copy(update=named)
    asked = public_sources(SourceSettings(connect_timeout=CONNECT_SECONDS))
    own, file, ordered = _asked_by(chosen)[0], _own_file(spec), [source for source in SOURCES if source in sources]
    if file is None:
        return fetch_market(market, wanted, asked, pd.Timestamp.now("UTC"), ordered, report, own, filings)
    proposed = _from_sources(market, file, own, wanted, asked, ordered, report)
    gone = {(failure.source, failure.name) for failure in proposed.failures}
    left = {
        kind: tuple(name for name in getattr(wanted, kind) if (source, name) not in gone)
        for kind, source in (("symbols", "yahoo"), ("companies", "edgar"))
    }
    wanted, own = wanted.model_copy(update=left), own.with_proposed(proposed.found)
    outcome = fetch_market(market, wanted, asked, pd.Timestamp.now("UTC"), ordered, report, own, filings)
    return outcome.beside(proposed.found, proposed.failures)


def _asked_by(spec: Spec | None) -> tuple[OwnCatalogue, FetchRecord | None]:
    """The entries of a spec, and what it names; None where there is no spec."""
    return (OwnCatalogue(), None) if spec is None else (spec.catalogue, needs_of(spec))


def _own_file(spec: str | Path | Mapping[str, Any] | Spec | None) -> Path | None:
    """The file of a user's own spec, into which entries can be written; None where it is none."""
    return Path(spec) if isinstance(spec, str | Path) and not is_shipped(spec) else None


def _from_sources(
    market: str,
    file: Path,
    own: OwnCatalogue,
    wanted: FetchRecord,
    sources: "Sources",
    asked: Collection[Source],
    report: "Callable[[str], None]",
) -> "Proposals":
    """Ask what nobody knows, and write it into the spec before anything else is asked."""
    from backtests.spec.written_entries import require_writable, write_entries
    from data.fetch.fetch import known_to
    from data.fetch.proposals import proposals

    known = known_to(market, own)
    symbols = [each for each in wanted.symbols if "yahoo" in asked and each not in known.instruments]
    companies = [each for each in wanted.companies if "edgar" in asked and each not in known.companies]
    if symbols or companies:
        require_writable(file)
    made = proposals(symbols, companies, sources, report)
    write_entries(file, made.found)
    return made


def _from_files(price_folders: Sequence[Path], own: OwnCatalogue, wanted: FetchRecord) -> tuple[Proposal, ...]:
    """Entries of what nobody knows, by its files."""
    from data.importing.price_files import price_files
    from data.importing.proposals import proposed_from_file

    known, (paths, _) = catalogue_of(Catalogue(), own).instruments, price_files(price_folders)
    new = [symbol for symbol in wanted.symbols if symbol in paths and symbol not in known]
    return tuple(proposed_from_file(symbol, paths[symbol]) for symbol in new)
