"""The medians of what was measured, for people and for programs."""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from benchmarks.load import Figures
from benchmarks.machine import machine
from benchmarks.measurement import Key, Results

_PEERS = {"of no-op": "no-op", "of other": "other", "of PocketBase": "PocketBase"}
"""Targets beside which the others are put, by the heads of their columns."""


class Report:
    """A table for each number of articles, with the ratios of rates to those of others."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._calls = list(dict.fromkeys(key.call for key in results))
        self._sizes = sorted({key.articles for key in results if key.articles})

    def lines(self) -> Iterator[str]:
        """For people."""
        for articles in self._sizes:
            keys = [key for key in self._results if key.articles in {articles, 0}]
            yield from self._table(f"{articles:,} articles", keys)

    def write(self, file: TextIO, versions: Mapping[str, str], **conditions: object) -> None:
        """Everything as JSON, with what was measured, and how."""
        rows = [
            {
                **key._asdict(),
                "median": _median(rounds)._asdict(),
                "ratios": self._ratios(key),
                "rounds": [each._asdict() for each in rounds],
            }
            for key, rounds in self._results.items()
        ]
        content = {"machine": machine(), "versions": versions, **conditions, "results": rows}
        file.write(json.dumps(content, indent=1) + "\n")

    def _table(self, title: str, keys: Sequence[Key]) -> Iterator[str]:
        heads = list(dict.fromkeys(head for key in keys for head in self._ratios(key)))
        columns = "".join(f"{head:>{len(head) + 2}}" for head in heads)
        yield f"\n{title:52}{'requests/s':>11}{'p50 ms':>9}{'p99 ms':>9}{columns}"
        for call in self._calls:
            named = call
            for key in (key for key in keys if key.call == call):
                yield f"{named:40}{key.target:12}{self._cells(key, heads)}".rstrip()
                named = ""

    def _cells(self, key: Key, heads: Sequence[str]) -> str:
        median, ratios = _median(self._results[key]), self._ratios(key)
        cells = [f"{ratios[head]:.2f}" if head in ratios else "" for head in heads]
        return f"{median.rate:11,.0f}{median.p50:9.1f}{median.p99:9.1f}" + "".join(
            f"{cell:>{len(head) + 2}}" for cell, head in zip(cells, heads, strict=True)
        )

    def _ratios(self, key: Key) -> dict[str, float]:
        """Of the rate to those of others, round by round, and of that the median."""
        others = {head: key._replace(target=name) for head, name in _PEERS.items()}
        others["of no-op"] = others["of no-op"]._replace(articles=0)
        others[f"of {self._sizes[0]:,}"] = key._replace(articles=self._sizes[0])
        return {
            head: statistics.median(
                mine.rate / theirs.rate
                for mine, theirs in zip(self._results[key], self._results[other], strict=True)
            )
            for head, other in others.items()
            if other in self._results and other != key
        }


def _median(rounds: Sequence[Figures]) -> Figures:
    return Figures(*map(statistics.median, zip(*rounds, strict=True)))
