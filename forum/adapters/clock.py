"""The clock of the machine."""

from datetime import UTC, datetime


class SystemClock:
    """The `Clock` of production."""

    def now(self) -> datetime:
        return datetime.now(UTC)
