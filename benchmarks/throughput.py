"""Requests a second and how long they take, beside those of others in the same run."""

import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

import click

from benchmarks.data import Size
from benchmarks.lineup import Lineup
from benchmarks.load import require_wrk
from benchmarks.machine import versions
from benchmarks.measurement import Measurement, Results, steps
from benchmarks.report import Report
from benchmarks.servers import Target, noop

_SCALE = (10_000, 100_000, 1_000_000)
_FEWEST = 1000


def _assignments(
    context: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> Mapping[str, str]:
    if not all("=" in each for each in values):
        raise click.BadParameter("it must be NAME=VALUE")
    return dict(each.split("=", 1) for each in values)


def _checkout(
    context: click.Context, parameter: click.Parameter, value: Path | None
) -> Path | None:
    # Without a package of its own this one would be measured once more.
    if value and not (value / "forum" / "__main__.py").exists():
        raise click.BadParameter(f"{value} is no checkout of the forum")
    return value


@click.command(context_settings={"show_default": True})
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    callback=_checkout,
    help="Another checkout, to measure beside this one.",
)
@click.option(
    "--setting",
    multiple=True,
    callback=_assignments,
    metavar="NAME=VALUE",
    help="For this checkout alone; may be repeated.",
)
@click.option(
    "--database", type=click.Choice(["postgres"]), help="Measure this checkout on it, too."
)
@click.option(
    "--peer", type=click.Choice(["pocketbase"]), help="Another program, to measure beside this one."
)
@click.option("--only", multiple=True, help="Calls with this in their name; may be repeated.")
@click.option(
    "--articles", default=100_000, type=click.IntRange(_FEWEST), help="How many to fill in."
)
@click.option("--scale", is_flag=True, help="Measure with 10,000, 100,000 and 1,000,000 articles.")
@click.option("--rounds", default=5, type=click.IntRange(1), help="Of which medians are taken.")
@click.option("--seconds", default=3, type=click.IntRange(1, 10), help="Of each measurement.")
@click.option(
    "--json",
    "file",
    type=click.File("w", lazy=False),
    metavar="FILE",
    help="Write all figures there.",
)
def main(
    against: Path | None,
    setting: Mapping[str, str],
    database: str | None,
    peer: str | None,
    only: Sequence[str],
    articles: int,
    scale: bool,
    rounds: int,
    seconds: int,
    file: TextIO | None,
) -> None:
    """Measure the forum beside a no-op on the same server.

    Each round measures each call on all servers, one after the other, and the next round does it
    the other way round, so that noise is the same for all. What counts are the ratios.

    A "warm" call asks for the same target all the time, a "cold" one for another target each time,
    and a "304" names the answer that the client has already.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # The servers must end, too.
    require_wrk()
    sizes = [Size(number) for number in (_SCALE if scale else (articles,))]
    lineup = Lineup(setting, against, database == "postgres", peer == "pocketbase")
    with tempfile.TemporaryDirectory(prefix="forum-benchmark-") as name:
        folder = Path(name)
        with noop(folder) as ceiling, lineup.started(folder, sizes) as targets:
            measurement, names = Measurement(ceiling, targets, seconds), _chosen(targets, only)
            try:
                _measure(measurement, names, rounds)
            finally:  # What was measured until something failed is worth seeing.
                _report(measurement.results, targets, file, rounds=rounds, seconds=seconds)


def _chosen(targets: Sequence[Target], parts: Sequence[str]) -> list[str]:
    names = targets[0].calls
    chosen = [name for name in names if not parts or any(part in name for part in parts)]
    if not chosen:
        raise click.ClickException("no call has that in its name: " + "; ".join(names))
    return chosen


def _report(
    results: Results, targets: Sequence[Target], file: TextIO | None, **conditions: int
) -> None:
    report = Report(results)
    click.echo("\n".join(report.lines()))
    if file:
        others = {each.name: each.version for each in targets if each.version}
        report.write(file, versions() | others, **conditions)


def _measure(measurement: Measurement, names: Sequence[str], rounds: int) -> None:
    with click.progressbar(
        steps(names, rounds),
        label="Measuring",
        item_show_func=lambda step: step and step[0],
        file=sys.stderr,
    ) as bar:
        for name, direction in bar:
            measurement.take(name, direction)


if __name__ == "__main__":
    main()
