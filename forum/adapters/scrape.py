"""What a scrape of the metrics is answered with, from the files that the workers write."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from forum.adapters.metrics import HIT, MISS

_ANSWERS = "forum_answers"
"""All that workers count of answers, by everything at once."""

Labels = tuple[str, ...]
"""Their values."""

Values = defaultdict[Labels, float]


class Workers(Collector):
    """What the workers have counted, and what the master knows: the version, and who lives."""

    def __init__(self, version: str, count: Callable[[], int], folder: Path) -> None:
        """`count` tells how many workers live; their files are in the `folder`."""
        self._version = version
        self._count = count
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """As prometheus-client asks for it."""
        families = MultiProcessCollector.merge(_files(self._folder), accumulate=True)
        by_name = {family.name: family for family in families}
        answers = by_name.pop(_ANSWERS, None)
        yield from by_name.values()
        yield from _told_apart(answers.samples if answers else [])
        build = GaugeMetricFamily("forum_build_info", "The version that runs", labels=["version"])
        build.add_metric([self._version], 1)
        yield build
        yield GaugeMetricFamily("forum_workers", "Workers that live", value=self._count())


def make_registry(workers: Workers) -> CollectorRegistry:
    """What a scrape reads: the files of all workers, of today and before, and the master's own."""
    registry = CollectorRegistry()
    registry.register(workers)
    return registry


def forget_gauges(slot: int) -> None:
    """Remove what a worker that has ended was in the middle of."""
    mark_process_dead(slot)


def _files(folder: Path) -> list[str]:
    """Those that can be read: a worker makes an empty one first."""
    files = []
    for path in folder.glob("*.db"):
        with suppress(FileNotFoundError):  # The gauges of a worker that has ended just now.
            if path.stat().st_size:
                files.append(os.fspath(path))
    return files


def _told_apart(samples: Iterable[Sample]) -> Iterator[Metric]:
    """The metrics of answers that operators know."""
    requests, seconds = Values(float), Values(float)
    cached = Values(float, {(result,): 0.0 for result in (HIT, MISS)})
    buckets: dict[Labels, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for name, labels, value, *_ in samples:
        route = labels["method"], labels["route"]
        match name.removeprefix(_ANSWERS):
            case "_bucket":
                buckets[route][labels["le"]] += value
            case "_sum":
                seconds[route] += value
            case "_count":
                requests[*route, labels["status"]] += value
                if labels["memory"] in (HIT, MISS):
                    cached[(labels["memory"],)] += value
    yield _counter("requests", "Answers that were given", ["method", "route", "status"], requests)
    yield _counter("cache_answers", "Public answers, remembered or not", ["result"], cached)
    durations = HistogramMetricFamily(
        "forum_request_duration_seconds",
        "From a whole head to the answer",
        labels=["method", "route"],
    )
    for each, below in buckets.items():
        durations.add_metric(each, list(below.items()), seconds[each])
    yield durations


def _counter(name: str, help: str, labels: Sequence[str], values: Values) -> Metric:
    family = CounterMetricFamily(f"forum_{name}", help, labels=labels)
    for each, value in values.items():
        family.add_metric(each, value)
    return family
