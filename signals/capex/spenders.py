"""What the tables of events tell of the spenders, read once: quarters, news and money raised."""

from collections.abc import Mapping
from typing import NamedTuple

from signals.capex.funding import Shares, funding_shares
from signals.capex.news import News, capex_news
from signals.capex.spending import Quarters, followed_quarters
from signals.config import SignalConfig
from signals.facts import Facts
from signals.known import NAT


class Spenders(NamedTuple):
    """Of all companies that the drain follows.

    Attributes:
        quarters: by company, those of `config.companies` first.
        news: of results and guidance; None where they are switched off.
        shares: acts of funding; None where they are switched off.
    """

    quarters: Mapping[str, Quarters]
    news: News | None
    shares: Shares | None


def read_spenders(facts: Facts, config: SignalConfig) -> Spenders:
    """Read them as the form of the signal scores them.

    Raises:
        InputError: see `signals.capex.spending.followed_quarters`, `signals.capex.news.capex_news` and
            `signals.capex.funding.funding_shares`.
    """
    quarters = followed_quarters(facts.data.capex, config, facts.data.catalogue.companies)
    news = shares = None
    if config.capex_events:
        news = capex_news(quarters, facts.data.guidance, config, _one_basis_from(facts, quarters, config))
    if config.outside_funding:
        shares = funding_shares(facts.data.funding, quarters, config)
    return Spenders(quarters, news, shares)


def _one_basis_from(facts: Facts, quarters: Mapping[str, Quarters], config: SignalConfig) -> dict[str, int]:
    """The day from which each company's quarters stand on one basis; form 1 takes all of them as they are."""
    if config.form == 1:
        return {}
    spans = {company: facts.span("results", company) for company in quarters}
    return {company: NAT if span is None else span.begin for company, span in spans.items()}
