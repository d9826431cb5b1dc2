"""Whence a request comes."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from falcon.asgi import Request

Network = IPv4Network | IPv6Network


class Addresses:
    """Finds the address of a client, also behind proxies that one trusts."""

    def __init__(self, proxies: Sequence[str]) -> None:
        """`proxies` are addresses and networks whose `X-Forwarded-For` is believed. Raises ValueError."""
        self._proxies: list[Network] = [ip_network(each) for each in proxies]

    def __call__(self, req: Request) -> str:
        """The nearest address that is no trusted proxy; of IPv6 the /64 that a customer has to himself."""
        client = req.scope.get("client") or ("127.0.0.1",)  # a UNIX socket is this machine
        forwarded = (req.get_header("X-Forwarded-For") or "").split(",")
        hops = [client[0], *(hop.strip() for hop in reversed(forwarded))]
        address = hops[0]
        for hop in hops:
            if not _is_address(hop):
                break
            address = hop
            if not self._is_proxy(hop):
                break
        return _customer(address)

    def _is_proxy(self, address: str) -> bool:
        return any(ip_address(address) in network for network in self._proxies)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _customer(text: str) -> str:
    if not _is_address(text):
        return "unknown"
    address = ip_address(text)
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), 64), strict=False))
