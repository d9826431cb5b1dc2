"""Metrics of all workers together, served by the master on an address of their own."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forum import __version__
from forum.upgrade import is_beside_another

if TYPE_CHECKING:
    from forum.adapters.metrics import PrometheusMetrics

FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class MetricsServer:
    """What a master of gunicorn does for the metrics: its methods are the server's hooks.

    The counts of workers that have ended stay: each worker has a slot, the lowest number that no
    other living one has, and goes on from what was counted in that slot before.
    """

    def __init__(self, bind: str) -> None:
        self._bind = bind
        self._folder = ""
        self._master = 0
        self._is_serving = self._has_complained = False
        self._arbiter: Any = None
        self._of_worker: PrometheusMetrics

    def start(self, arbiter: Any) -> None:
        """Make a new folder for the files, and serve what they say.

        Beside another master that has the address, `take_over` does the second.
        """
        self._arbiter = arbiter
        self._folder, self._master = tempfile.mkdtemp(prefix="forum-metrics-"), os.getpid()
        os.environ[FOLDER] = self._folder
        if not is_beside_another():
            self._serve()

    def take_over(self) -> None:
        """Serve, now that no other master does.

        Called again and again: for a second after its end, workers may still hold the address.
        """
        if self._is_serving:
            return
        try:
            self._serve()
        except OSError as error:
            if not self._has_complained:
                log = self._arbiter.log
                log.warning("Metrics: nothing can listen on %s yet: %s", self._bind, error)
            self._has_complained = True

    def _serve(self) -> None:
        from prometheus_client import start_http_server  # noqa: PLC0415  # it reads the folder

        from forum.adapters.scrape import Workers, make_registry  # noqa: PLC0415

        host, _, port = self._bind.rpartition(":")
        workers = Workers(__version__, lambda: len(self._arbiter.WORKERS), Path(self._folder))
        registry = make_registry(workers)
        with _without_signals():
            start_http_server(int(port), host.strip("[]"), registry)
        self._is_serving = True

    def give_slot(self, arbiter: Any, worker: Any) -> None:
        """Called before the worker is forked."""
        held = {each.slot for each in arbiter.WORKERS.values()}
        worker.slot = min(set(range(len(held) + 1)) - held)

    def use_slot(self, arbiter: Any, worker: Any) -> None:
        """Called in the worker."""
        from forum.adapters.metrics import PrometheusMetrics  # noqa: PLC0415

        worker.metrics = self._of_worker = PrometheusMetrics(worker.slot)

    def of_worker(self) -> "PrometheusMetrics":
        """What this worker counts with."""
        return self._of_worker

    def free_slot(self, arbiter: Any, worker: Any) -> None:
        """Called after the worker has ended."""
        from forum.adapters.scrape import forget_gauges  # noqa: PLC0415

        forget_gauges(worker.slot)

    def stop(self, arbiter: Any) -> None:
        """Remove the files."""
        if os.getpid() == self._master:
            shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def _without_signals() -> Iterator[None]:
    """Threads that begin inside get no signal: the master would not wake up for it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
