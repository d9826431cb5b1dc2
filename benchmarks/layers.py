"""Where the microseconds of a request go."""

import inspect
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import click
import uvloop

from benchmarks import servers
from benchmarks.client import ask, request
from benchmarks.load import measure, require_wrk
from benchmarks.operations import Operation, Step, operations_of
from benchmarks.parts import Forum
from benchmarks.servers import Target

_ARTICLES = 10_000
_PASSES = 40
"""Of everything that runs in this process, in a round."""

_REPETITIONS = 50
_WARM_UP = 10
"""Repetitions that do not count: what ran before has filled the caches of the processor."""

_LAYERS = [
    "server",
    "guard",
    "cache",
    "framework",
    "resource",
    "use case",
    "adapter",
    "database",
]

Costs = dict[str, float]
"""Microseconds by layers."""


@click.command(context_settings={"show_default": True})
@click.option("--rounds", default=5, type=click.IntRange(1), help="Of which medians are taken.")
@click.option("--seconds", default=1, type=click.IntRange(1, 30), help="For the server, each time.")
def main(rounds: int, seconds: int) -> None:
    """Print what each layer of the service adds to a request, in microseconds.

    Each layer is called with all that is below it, and what it adds is the difference. The server
    is that of a no-op, under load. All of it is time of the processor.
    """
    require_wrk()
    for name in [name for name in os.environ if name.startswith("FORUM_")]:
        del os.environ[name]
    with (
        tempfile.TemporaryDirectory(prefix="forum-benchmark-") as folder,
        servers.noop(Path(folder), workers=1) as server,
        closing(Forum(Path(folder), _ARTICLES)) as forum,
    ):
        medians = uvloop.run(_medians(operations_of(forum), server, rounds, seconds))
    click.echo("\n".join(_table(medians)))


async def _medians(
    operations: Sequence[Operation], server: Target, rounds: int, seconds: int
) -> dict[str, Costs]:
    """What each layer adds in each operation."""
    taken: dict[str, list[Costs]] = {each.name: [] for each in operations}
    with click.progressbar(range(rounds), label="Measuring", file=sys.stderr) as bar:
        for _ in bar:
            for each in operations:
                taken[each.name] += await _costs(each, server, seconds)
    return {name: _median(costs) for name, costs in taken.items()}


async def _costs(operation: Operation, server: Target, seconds: int) -> list[Costs]:
    message = request(operation.method, operation.path, operation.body)
    ask(server.port, message)  # It may still be starting.
    before = servers.processor_time(server.pid)
    figures = measure(operation.name, server.port, [message], seconds)
    spent = (servers.processor_time(server.pid) - before) / figures.requests
    steps = operation.steps()
    return [
        _differences(spent, {name: await _timed(step) for name, step in steps.items()})
        for _ in range(_PASSES)
    ]


def _median(costs: Sequence[Costs]) -> Costs:
    return {layer: statistics.median(each[layer] for each in costs) for layer in costs[0]}


async def _timed(step: Step) -> float:
    await _repeat(step, _WARM_UP)
    begin = time.process_time_ns()  # Not the time of others who share the processor.
    await _repeat(step, _REPETITIONS)
    return (time.process_time_ns() - begin) / _REPETITIONS / 1000


async def _repeat(step: Step, times: int) -> None:
    if inspect.iscoroutinefunction(step):
        for _ in range(times):
            await step()
    else:
        for _ in range(times):
            step()


def _differences(spent: float, of: Mapping[str, float]) -> Costs:
    """What each layer adds to the next one, by what each step takes."""
    costs = {
        "server": spent - (of["no-op"] - of["nothing"]),
        "guard": of["guard"] - of["no-op"],
    }
    if "resource" not in of:
        return {**costs, "cache": of["whole"] - of["nothing"] - costs["guard"]}
    resource, database = of["resource"] - of["request"], of.get("database", 0)
    if database:
        costs["database"] = database
    return {
        **costs,
        "cache": of["whole"] - of["uncached"],
        "framework": of["uncached"] - of["nothing"] - costs["guard"] - resource,
        "resource": resource - of["use case"],
        "use case": of["use case"] - of["adapter"],
        "adapter": of["adapter"] - database,
    }


def _table(costs: Mapping[str, Costs]) -> Iterator[str]:
    yield f"{'µs':12}" + "".join(f"{name:>22}" for name in costs)
    totals = {name: sum(each.values()) for name, each in costs.items()}
    for layer in _LAYERS:
        cells = [
            f"{each[layer]:14.1f}{each[layer] / totals[name]:8.0%}" if layer in each else f"{'':22}"
            for name, each in costs.items()
        ]
        yield (f"{layer:12}" + "".join(cells)).rstrip()
    yield f"{'together':12}" + "".join(f"{total:14.1f}{1:8.0%}" for total in totals.values())


if __name__ == "__main__":
    main()
