"""Where a request comes from."""

from collections.abc import Callable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from falcon.asgi import Request

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

AddressOf = Callable[[Request], str]
"""How the address of a client is found."""


class ClientAddress:
    """Finds the address of a client, also behind proxies that one trusts."""

    def __init__(self, proxies: Sequence[str]) -> None:
        """`proxies` are addresses and networks whose `X-Forwarded-For` is believed.

        Raises ValueError.
        """
        self._proxies: list[Network] = [ip_network(each) for each in proxies]

    def __call__(self, req: Request) -> str:
        """The nearest address that is no trusted proxy; of IPv6 the /64 that is one customer's."""
        client = req.scope.get("client") or ("127.0.0.1",)  # a UNIX socket is this machine
        forwarded = (req.get_header("X-Forwarded-For") or "").split(",")
        nearest = None
        for hop in map(_parse, [client[0], *reversed(forwarded)]):
            if hop is None:
                break
            nearest = hop
            if not any(hop in network for network in self._proxies):
                break
        return _customer(nearest) if nearest else "unknown"


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _customer(address: Address) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), 64), strict=False))
    return str(address)
