"""Requests in the bytes of HTTP."""


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    """As it goes over the wire."""
    head = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
