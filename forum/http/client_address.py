"""Where a request comes from."""

import logging
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from falcon.asgi import Request

from forum.http.guard import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

AddressOf = Callable[[Request], str]
"""How the address of a client is found."""

_WITH_PORT = re.compile(r"\[(.+)\](?::[0-9]+)?|([^:]+):[0-9]+")

_REMEMBERED = 4096
"""Addresses that are not parsed anew: most clients call more than once."""

_log = logging.getLogger(__name__)


class ClientAddress:
    """Finds the address of a client, also behind proxies that one trusts."""

    def __init__(self, proxies: Sequence[str]) -> None:
        """`proxies` are addresses and networks whose `X-Forwarded-For` is believed.

        Raises ValueError.
        """
        self._proxies: list[Network] = [ip_network(each) for each in proxies]
        self._has_warned = False

    def __call__(self, req: Request) -> str:
        """The nearest address that is no trusted proxy; of IPv6 the /64 that is one customer's."""
        return self.of(req.scope)

    def of(self, scope: Scope) -> str:
        """As for the request with this scope."""
        forwarded = _forwarded_for(scope)
        nearest = None
        for hop in map(_parse, [_peer(scope), *reversed(forwarded)]):
            if hop is None:
                break
            nearest = hop
            if not self._trusts(hop):
                break
        return _customer(nearest) if nearest else "unknown"

    def notice_forwarded(self, scope: Scope) -> None:
        """Warn, once, where a request was forwarded by an address that is not trusted."""
        peer = _parse(_peer(scope))
        if self._has_warned or (peer and self._trusts(peer)):
            return
        self._has_warned = True
        _log.warning(
            "%s forwards requests and is not trusted, so that all of them count as its own: "
            "if it is your proxy, name it in FORUM_TRUSTED_PROXIES",
            peer,
        )

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def _forwarded_for(scope: Scope) -> list[str]:
    values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return b",".join(values).decode("latin-1").split(",") if values else []


def _peer(scope: Scope) -> str:
    client = scope.get("client") or ("127.0.0.1",)  # a UNIX socket is this machine
    return str(client[0])


@lru_cache(_REMEMBERED)
def _parse(text: str) -> Address | None:
    with_port = _WITH_PORT.fullmatch(text.strip())
    try:
        address = ip_address(with_port[1] or with_port[2] if with_port else text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(_REMEMBERED)
def _customer(address: Address) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), 64), strict=False))
    return str(address)
