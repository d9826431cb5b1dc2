"""Security audit_log in the log of the process."""

import logging

_log = logging.getLogger("forum.security")


class TextAuditLog:
    """`AuditLog` as lines of text: `event="login failed" username=alice#1 address=192.0.2.7`."""

    def record(self, event: str, **details: object) -> None:
        _log.info(" ".join([f'event="{event}"', *(f"{k}={v}" for k, v in details.items())]))
