"""Results and funding that are told late change no decision that was taken; they are told."""

from collections.abc import Iterator, Sequence

from paper.ledger.records import DecisionRecord
from paper.market import PaperMarket

# Scores that differ by less say the same: it is what another version of a library may change.
SAME = 1e-6


def late_signals(market: PaperMarket, decisions: Sequence[DecisionRecord]) -> Iterator[str]:
    """Say which decisions were taken on another signal than the market gives for their sessions now.

    Args:
        market: as it is now.
        decisions: of the account, newest first.

    Yields:
        A sentence each, oldest first, always the same for the same decision and signal.
    """
    for decision in reversed(decisions):
        if decision.content_hash == market.snapshot.content_hash:
            continue
        session = market.panel.decides_for[market.row(decision.session) - 1]
        regime, score = str(market.signal.regime[session]), float(market.signal.score[session])
        was, now = decision.score if decision.score is not None else float("nan"), score
        same = (was != was and now != now) or abs(was - now) <= SAME
        if regime == decision.regime and same:
            continue
        yield (
            f"told late: the decision for {decision.session} was taken on {decision.regime}, score {was:+.4f}; by what "
            f"the market says of that day now it is {regime}, score {now:+.4f}; the decision stays"
        )
