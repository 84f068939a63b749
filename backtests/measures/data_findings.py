"""What was found odd in the data that a run has read, ranked by what it can do to the result."""

from backtests.prepare.prepared import Prepared
from backtests.prepare.stakes import scope_of, stakes_of
from data.quality.ranking import Ranked, ranked
from data.quality.report import quality_report

# From this part of the result on, a finding is told before everything that merely explains.
GRAVE = 0.01


def data_findings(prepared: Prepared) -> tuple[Ranked, ...]:
    """What is odd in the instruments, series and days of a run and can change its result, the greatest first.

    Bars without an open or a volume are not among them: the run tells itself what they did to it.
    """
    spec, snapshot, sessions = prepared.spec, prepared.snapshot, prepared.panel.sessions
    report = quality_report(snapshot, scope_of(spec, snapshot, sessions[0], sessions[-1]))
    found = ranked(report.findings, stakes_of(spec, snapshot))
    return tuple(each for each in found if each.effect > 0 and each.finding.kind != "blank_cells")
