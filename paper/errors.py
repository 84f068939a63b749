"""What can go wrong between the strategy and a broker, besides bad input (`data.errors.InputError`)."""

from data.errors import ReverseQeError


class BrokerUnavailable(ReverseQeError):  # noqa: N818
    """The broker did not answer, or not in time: nothing is lost, the next step asks again."""


class BrokerRefused(ReverseQeError):  # noqa: N818
    """The broker said no to the account or to a request as such: the trader is halted.

    A single order that it rejects is no exception: its `paper.broker.OrderState` says so.
    """


class DamagedLedger(ReverseQeError):  # noqa: N818
    """The account's file is not what was written, or holds what nobody wrote: the trader is halted."""
