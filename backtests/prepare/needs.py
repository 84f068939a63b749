"""What of a market a spec reads: so much has to be there to run it."""

from backtests.prepare.bill import BILL
from backtests.prepare.weeks import RATES
from backtests.spec.spec import Spec
from data.market.manifest import FetchRecord
from signals.blocks.level import SERIES
from signals.liquidity import wanted_series


def needs_of(spec: Spec) -> FetchRecord:
    """The instruments and the benchmark of a spec, the series of its signal and the bill, and its companies.

    All that it has an entry of is among them, for code of the user may read it.
    """
    own, universe = spec.catalogue, spec.universe
    ranked = () if universe.rule is None else (*RATES.values(), *SERIES)
    companies = () if spec.signal.source else spec.signal.companies
    return FetchRecord(
        symbols=tuple(dict.fromkeys((*universe.named, universe.benchmark, *own.instruments))),
        series=tuple(dict.fromkeys((*wanted_series(spec.signal), BILL, *ranked, *own.series))),
        companies=tuple(dict.fromkeys((*companies, *own.companies))),
    )
