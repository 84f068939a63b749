"""What was found, ranked by what it can do to a result: the share of it that stands on the finding, times its size."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from data.quality.findings import Finding, FindingKind, Scope
from data.quality.report import QualityReport, words


@dataclass(frozen=True)
class Ranked:
    """A finding, and what it can do.

    Attributes:
        finding: what was found.
        share: of the result that stands on the instrument, series or exchange on those days, from 0 to 1.
    """

    finding: Finding
    share: float

    @property
    def effect(self) -> float:
        """What it can do to the result, a fraction from 0 to 1: share times size."""
        return self.share * self.finding.size

    @property
    def sentence(self) -> str:
        """It in words, with name and days."""
        return f"{self.finding.name}: {self.finding.text} ({self.finding.days})"

    @property
    def warning(self) -> str:
        """It in words, and what it can do."""
        return f"{self.sentence}: it can move the result by up to {max(self.effect, 0.001):.1%}."

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        return self.finding.as_json() | {"share": self.share, "effect": self.effect}


class RankedLine(NamedTuple):
    """What was found of one name and kind, in words, and the most that it can do."""

    effect: float
    is_used: bool
    name: str
    kind: FindingKind
    words: str

    @property
    def text(self) -> str:
        """Name and words."""
        return f"{self.name}: {self.words}"


def ranked(
    findings: Iterable[Finding], stakes: Mapping[str, float] | None = None, scope: Scope | None = None
) -> tuple[Ranked, ...]:
    """Rank findings, the greatest effect first; of equal ones what is used, then the larger, then as they came.

    Args:
        findings: of a market.
        stakes: the share of the result that stands on each instrument, series and exchange; what is not named is not
            used. None: every one is held to be all of it.
        scope: what is read; no share stands on a finding of other days. None: everything.
    """

    def share(finding: Finding) -> float:
        if scope is not None:
            span = scope.observations if finding.name in scope.series else scope.bars
            if not (finding.last >= span.first.date() and finding.first <= span.last.date()):
                return 0.0
        return 1.0 if stakes is None else stakes.get(finding.name, 0.0)

    with_shares = [Ranked(each, share(each)) for each in findings]
    return tuple(sorted(with_shares, key=_rank))


def _rank(each: Ranked) -> tuple[float, float, float]:
    return (-each.effect, -each.share, -each.finding.size)


def ranked_lines(
    report: QualityReport, stakes: Mapping[str, float] | None = None, scope: Scope | None = None
) -> list[RankedLine]:
    """What a report has found, a line a name and kind, the greatest effect first; arguments as for `ranked`."""
    by_name_and_kind = groupby(report.findings, key=lambda finding: (finding.name, finding.kind))
    groups = [ranked(list(found), stakes, scope) for _, found in by_name_and_kind]
    groups.sort(key=lambda group: _rank(group[0]))
    return [
        RankedLine(
            group[0].effect,
            any(each.share for each in group),
            group[0].finding.name,
            group[0].finding.kind,
            words([each.finding for each in group]),
        )
        for group in groups
    ]


def ranked_json(
    report: QualityReport, stakes: Mapping[str, float] | None = None, scope: Scope | None = None
) -> dict[str, Any]:
    """Return a report for machines, its findings ranked; arguments as for `ranked`, days as ISO text."""
    return {
        "newest": None if report.newest is None else report.newest.isoformat(),
        "findings": [each.as_json() for each in ranked(report.findings, stakes, scope)],
        "notes": list(report.notes),
    }
