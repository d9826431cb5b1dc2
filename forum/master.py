"""gunicorn's master, with what it lacks for an upgrade by SIGUSR2."""

import os
import sys
from collections.abc import Callable

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

# Not as it was called: `python -m forum` is a file in a folder with an `http` of its own, which
# would be imported instead of Python's. Nor is anything imported from the working directory.
_START_LINE = ("-P", "-m", "forum", "serve")


class Master(Arbiter):  # type: ignore[misc]
    """Starts another master beside itself at SIGUSR2, and goes on until it is told to stop."""

    def __init__(self, app: BaseApplication, on_alone: Callable[[], object]) -> None:
        """`on_alone` is called again and again while no master is there that started this one."""
        super().__init__(app)
        self.START_CTX["args"] = [sys.executable, *_START_LINE]
        self._on_alone = on_alone

    def reexec(self) -> None:
        if self.systemd:
            # It takes the end of the old master for that of the unit, and would end the new one.
            self.log.error("SIGUSR2 is ignored: restart the unit, and its socket refuses nobody")
            return
        self.maybe_promote_master()  # Since the last look the one before may have ended.
        try:
            super().reexec()
        except OSError as error:
            self.log.error("No other master can be started: %s", error)  # noqa: TRY400  # it says all
            if os.getpid() != self.pid:  # gunicorn would stop the workers, which are the parent's.
                os._exit(1)

    def reap_workers(self) -> None:
        other = self.reexec_pid
        super().reap_workers()
        if other and not self.reexec_pid:
            self.log.warning("The other master has ended (pid: %s); this one goes on", other)

    def maybe_promote_master(self) -> None:
        super().maybe_promote_master()
        if self.master_pid == 0:
            self._on_alone()
