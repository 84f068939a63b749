"""What of a market a spec reads: so much has to be there to run it."""

from backtests.prepare.bill import BILL
from backtests.spec.spec import Spec
from data.market.manifest import FetchRecord
from signals.liquidity import wanted_series


def needs_of(spec: Spec) -> FetchRecord:
    """The instruments and the benchmark of a spec, the series of its signal and the bill, and its companies."""
    return FetchRecord(
        symbols=tuple(dict.fromkeys((*spec.universe.symbols, spec.universe.benchmark))),
        series=tuple(dict.fromkeys((*wanted_series(spec.signal), BILL))),
        companies=spec.signal.companies,
    )
