"""One table of evidence: a row a test, under the question that it answers, with a verdict in one of four words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from data.errors import InputError


class Question(StrEnum):
    """What people ask of a result, in the order in which it is told."""

    RIVALS = "better than its rivals?"
    TRIED = "better than the best of what was tried?"
    TIMING = "is it timing?"
    MARKETS = "is it only its markets?"
    ONE = "is it one stay, one name?"
    NAMES = "is it knowing the names?"
    LAST = "would it last?"
    SWEEP = "is the best of the sweep luck?"
    SINCE = "what has come since?"


class Verdict(StrEnum):
    """What a test says of the strategy; a test that could not be made says nothing."""

    FOR = "for it"
    AGAINST = "against it"
    OPEN = "cannot be told"
    UNMEASURED = "not measured"


@dataclass(frozen=True)
class Row:
    """One test.

    Attributes:
        question: that it answers.
        test: its name, the same in every table.
        of: what it is of, where a test is made of several things: a rival, a stay, a span.
        verdict: what it says.
        values: its numbers by name, as JSON has them.
        reason: why it was not measured; empty where it was.
    """

    question: Question
    test: str
    verdict: Verdict
    of: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """Its parts by name."""
        return {
            "question": str(self.question),
            "test": self.test,
            "of": self.of,
            "verdict": str(self.verdict),
            "values": dict(self.values),
            "reason": self.reason,
        }

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> "Row":
        """The row of which `as_json` has told.

        Raises:
            KeyError, ValueError: it is none.
        """
        verdict, values = Verdict(told["verdict"]), dict(told["values"])
        return cls(Question(told["question"]), told["test"], verdict, told["of"], values, told["reason"])


@dataclass(frozen=True)
class EvidenceTable:
    """All tests of one thing.

    Attributes:
        rows: in the order of the questions.
    """

    rows: tuple[Row, ...]

    def row(self, test: str, of: str = "") -> Row:
        """The row of a test.

        Raises:
            KeyError: there is none.
        """
        for each in self.rows:
            if (each.test, each.of) == (test, of):
                return each
        raise KeyError(test, of)

    def of(self, question: Question) -> tuple[Row, ...]:
        """The rows that answer a question."""
        return tuple(each for each in self.rows if each.question is question)

    @property
    def is_skill(self) -> bool | None:
        """Whether the whole is called skill; None where only a test that could not be made stands in the way.

        That is: more than luck explains against the static mix, or the rival that was named, and above the best of what
        was tried, and timing wherever weights are known; of a sweep, that its best is ahead of the static mix
        at either volatility, all variants taken into account. One of them alone is not enough.
        """
        needed = [each for each in self.rows if each.test in NEEDED]
        if any(each.verdict in (Verdict.OPEN, Verdict.AGAINST) for each in needed):
            return False
        return True if needed and all(each.verdict is Verdict.FOR for each in needed) else None


# Tests that must all speak for a strategy before it is called skill.
LUCK, DEFLATED, SHIFT, SUPERIOR = "sharpe_against_the_mix", "deflated_sharpe", "circular_shift", "superior"
# Of a registration: what decides.
LOOKS = "registered_looks"
NEEDED = (LUCK, DEFLATED, SHIFT, SUPERIOR)


def measured(question: Question, test: str, make: Callable[[], Sequence[Row]], of: str = "") -> Iterator[Row]:
    """The rows of a test, or the one that says why it could not be made."""
    try:
        yield from make()
    except InputError as error:
        yield Row(question, test, Verdict.UNMEASURED, of, reason=str(error))


def by_interval(low: float, high: float) -> Verdict:
    """What an interval says of something that ought to be above 0."""
    return Verdict.FOR if low > 0 else Verdict.AGAINST if high < 0 else Verdict.OPEN
