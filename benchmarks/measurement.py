"""Rounds of measurements, in which what is compared is measured within seconds."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import NamedTuple

import click

from benchmarks.calls import Call
from benchmarks.client import ask
from benchmarks.load import Figures, measure, pressure
from benchmarks.servers import Target


class Key(NamedTuple):
    """A call of a target that has so many articles."""

    target: str
    articles: int
    call: str


_DIFFERENCE = 0.05
"""Of the sizes of answers that are the same; a body more or less is much more."""

Results = dict[Key, list[Figures]]
"""The figures of each round."""


class Measurement:
    """Measures each call on all targets, one after the other.

    The no-op is sent what the first target is sent.
    """

    def __init__(self, noop: Target, targets: Sequence[Target], seconds: int) -> None:
        self.results: Results = {}
        self._noop = noop
        self._targets = targets
        self._seconds = seconds

    def take(self, name: str, direction: int) -> None:
        """Measure the call once, from the first target on or, at -1, from the last one.

        Raises ClickException where an answer is not the expected one; the call does not count then.
        """
        targets = [each for each in self._targets if name in each.calls]
        calls = {each: each.calls[name] for each in targets}
        requests = {each: call.requests(self._seconds) for each, call in calls.items()}
        first = targets[0]
        requests[self._noop] = requests[first]
        calls[self._noop] = replace(calls[first], status=200, is_unique=False, beside=None)
        taken = {
            each: self._figures(f"{each}: {name}", each.port, calls[each], requests[each])
            for each in [self._noop, *targets][::direction]
        }
        for target, figures in taken.items():
            key = Key(target.name, target.articles, name)
            self.results.setdefault(key, []).append(figures)
        for each in targets:
            if calls[each].writes:
                each.restore()

    def _figures(self, label: str, port: int, call: Call, requests: Sequence[bytes]) -> Figures:
        first = ask(port, requests[0])
        if first.status != call.status:
            raise click.ClickException(f"{label}: the answer is {first.status}, not {call.status}")
        rest = requests[1:] if call.is_unique else requests
        others = call.beside(self._seconds) if call.beside else None
        with pressure(f"{label}, the others", port, others) if others else nullcontext():
            seconds = max(self._seconds, call.least_seconds)
            figures = measure(label, port, rest, seconds, call.clients)
        if call.is_unique and figures.requests > len(rest):
            raise click.ClickException(f"{label}: faster than expected, requests were repeated")
        # wrk counts refusals alone.
        if len(requests) == 1 and abs(figures.size / first.size - 1) > _DIFFERENCE:
            raise click.ClickException(f"{label}: other answers came than the first one")
        return figures


def steps(names: Sequence[str], rounds: int) -> list[tuple[str, int]]:
    """The calls of all rounds, each with its direction.

    To and fro: what is measured after a costly call has less of the machine.
    """
    forth = [(name, 1) for name in names]
    back = [(name, -1) for name in reversed(names)]
    return [step for number in range(rounds) for step in (back if number % 2 else forth)]
