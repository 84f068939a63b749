"""`data fetch`: a market extended by what its sources have and it lacks, into a new version.

A version is whole before it is seen, and the ones before it are never touched: whenever a fetch ends, however it ends,
the store is as it was before or as it is after.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import pandas as pd

from data.catalogue.catalogue import Catalogue, catalogue_of
from data.catalogue.own import OwnCatalogue, Proposal
from data.errors import InputError
from data.events.own_rows import own_notes
from data.fetch.collect import Answers, Failure, Sources, ask
from data.fetch.next_market import extended, new_market
from data.fetch.plan import SOURCES, Source, all_wanted, filings_text, lacking, what_is_due, with_filings
from data.market.differences import Difference, differences
from data.market.manifest import FetchRecord
from data.market.snapshot import Snapshot, load, read_manifest, save
from data.market.versions import locked, next_version, require_market_name, sweep, versions_of


@dataclass(frozen=True)
class FetchOutcome:
    """What a fetch came to.

    Attributes:
        market: its name.
        before: the version that it began with; None where it was the first.
        version: the new version; None where nothing was new.
        answered: names that were asked for and came, by source.
        current: names for which nothing was due.
        failures: what was asked for and did not come.
        lacking: what is wanted of the market and is not in its newest version.
        differences: from the version before to the new one; of a first version, what it holds beside reference events.
        notes: what the sources add, one line each.
        proposed: entries that were made of what a source tells.
    """

    market: str
    before: str | None
    version: str | None
    answered: dict[Source, tuple[str, ...]]
    current: tuple[str, ...]
    failures: tuple[Failure, ...]
    lacking: tuple[str, ...]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    proposed: tuple[Proposal, ...] = ()

    def beside(self, proposed: tuple[Proposal, ...], failures: tuple[Failure, ...]) -> Self:
        """The same, with entries that were proposed before it, and what there was no proposal for."""
        return replace(self, proposed=proposed, failures=(*failures, *self.failures))

    @property
    def no_network(self) -> bool:
        """Whether no source that was asked could be reached."""
        hows = {failure.how for failure in self.failures}
        return not any(self.answered.values()) and "no_network" in hows and "refused" not in hows


def fetch(
    market: str,
    wanted: FetchRecord,
    sources: Sources,
    now: pd.Timestamp,
    chosen: Collection[Source] = SOURCES,
    report: Callable[[str], None] = lambda _stage: None,
    own: OwnCatalogue | None = None,
    filings: bool = False,
) -> FetchOutcome:
    """Ask for what the newest version of a market lacks, and keep it as the next version.

    Nothing that was due and failed is held against the rest: what came is kept, and the next fetch asks for what is
    still missing. Where nothing is new, no version is made.

    Args:
        market: its name, without a version.
        wanted: added to what the market keeps up to date.
        sources: how they are asked.
        now: UTC.
        chosen: the sources to ask.
        report: is told what is under way.
        own: entries of a spec.
        filings: want the years of every stock of the US that the market wants, from now on.

    Raises:
        InputError: the name cannot have versions, something wanted is in no catalogue, or an entry of the spec
            contradicts the market or what is shipped. Nothing is asked then.
        BusyError: another process changes the market.
    """
    require_market_name(market)
    with locked(market):
        sweep(market)
        before, kept = _newest(market)
        begun = before or new_market()
        known = catalogue_of(begun.kept_entries, own)
        of_sources = all_wanted(FetchRecord(start=wanted.start), _of_sources(wanted, chosen), known)
        record = all_wanted(kept, of_sources, known) if kept else of_sources
        record = with_filings(record, wanted.symbols, known) if filings and "edgar" in chosen else record
        reaches_further_back = kept is not None and record.first_day < kept.first_day
        due = what_is_due(begun, record, now, chosen, reaches_further_back, known)
        answers = ask(due, begun, sources, report, known)
        after = extended(begun, answers, record, now, known)
        own_are_new = after.own_events != begun.own_events
        has_news = bool(answers) or (before is not None and own_are_new and not answers.failures)
        version = next_version(market) if has_news and after.content_hash != begun.content_hash else None
        if version is not None:
            report("writing")
            all_came = not answers.failures and _of_sources(record, chosen) == record
            # An earlier first day is not taken for reached before everything came from it on.
            reached = record.start if kept is None or all_came else kept.start
            save(replace(after, name=version), _next_record(record, answers, now, reached, lacking(record, after)))
    return FetchOutcome(
        market=market,
        before=before.name if before else None,
        version=version,
        answered={
            "yahoo": tuple(answers.prices),
            "fred": tuple(answers.series),
            "edgar": (*answers.companies, *map(filings_text, answers.filings)),
        },
        current=due.current,
        failures=tuple(answers.failures),
        lacking=lacking(record, after if version else begun),
        differences=tuple(differences(begun, after)) if version is not None else (),
        notes=(*answers.notes(), *(own_notes() if version is not None and own_are_new else ())),
    )


def known_to(market: str, own: OwnCatalogue) -> Catalogue:
    """All entries that a fetch of a market by a spec begins with; nothing but its manifest is read.

    Raises:
        InputError: the name cannot have versions, or an entry of the spec contradicts the market or what is shipped.
    """
    require_market_name(market)
    versions = versions_of(market)
    if not versions:
        return catalogue_of(Catalogue(), own)
    manifest = read_manifest(versions[-1])
    return catalogue_of(Catalogue(manifest.instruments, manifest.series, manifest.companies), own)


def _newest(market: str) -> tuple[Snapshot | None, FetchRecord | None]:
    """The newest version and what is wanted of it; None before the first."""
    versions = versions_of(market)
    if not versions:
        return None, None
    record = read_manifest(versions[-1]).fetched
    if record is None:
        raise InputError(f"{versions[-1]} was not made by data fetch, which cannot extend it; choose another name")
    return load(versions[-1]), record


def _of_sources(wanted: FetchRecord, chosen: Collection[Source]) -> FetchRecord:
    """What is wanted of the chosen sources."""
    kinds = {"yahoo": ("symbols",), "fred": ("series",), "edgar": ("companies", "filings")}
    left_out = [kind for source in SOURCES if source not in chosen for kind in kinds[source]]
    return wanted.model_copy(update=dict.fromkeys(left_out, ()))


def _next_record(
    record: FetchRecord, answers: Answers, now: pd.Timestamp, start: date | None, lacking: tuple[str, ...]
) -> FetchRecord:
    """The record that a new version keeps."""
    filed = [name for each in answers.filings.values() for name in each.series]
    answered = record.answered | dict.fromkeys((*answers.series, *filed), now.to_pydatetime())
    return record.model_copy(update={"answered": answered, "start": start, "lacking": lacking})
