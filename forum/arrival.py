"""When a request arrived, as the server tells the application."""

ARRIVED = "forum.arrived"
"""The key of the scope under which a request that was whole when it was handed on carries the time
of its last byte, by the monotonic clock.
"""
