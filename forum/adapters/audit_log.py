"""Security events in the log of the process."""

import logging

_log = logging.getLogger("forum.security")


class ProcessAuditLog:
    """An `AuditLog` in the log of the process: the event, and each detail as a field."""

    def record(self, event: str, **details: object) -> None:
        _log.info(event, extra=details)
