"""The servers of a run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import Size, SqliteForum
from benchmarks.forum import forum
from benchmarks.servers import ROOT, Target


@dataclass(frozen=True)
class Lineup:
    """What is measured beside the no-op."""

    settings: Mapping[str, str]
    """Of this checkout, not of the other."""
    against: Path | None

    @contextmanager
    def started(self, folder: Path, sizes: Sequence[Size]) -> Iterator[list[Target]]:
        """All servers with data of each size, until the end of the block.

        Raises ClickException.
        """
        with ExitStack() as stack:
            targets = []
            for size in sizes:
                home = folder / str(size.articles)
                home.mkdir()
                this = SqliteForum(size, home / "this.db")
                targets.append(
                    stack.enter_context(forum("this", ROOT, home / "this", this, self.settings))
                )
                if self.against:
                    other = SqliteForum(size, home / "other.db")
                    targets.append(
                        stack.enter_context(forum("other", self.against, home / "other", other, {}))
                    )
            yield targets
