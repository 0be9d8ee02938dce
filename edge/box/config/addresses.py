"""The fields of a node file that name brokers."""

import ipaddress
import re

from edge.box.config.fields import REQUIRED, Field, Text, Unfit

_ADDRESS = re.compile(
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?\Z"
)
_HOST = re.compile(r"[A-Za-z0-9.:_-]+\Z")


class Host(Text):
    def expected(self) -> str:
        return "a host name or an address"

    def read(self, value) -> str:
        Text.read(self, value)
        if _HOST.match(value) is None:
            raise Unfit("write the name or the address alone, without scheme, user or path")
        if ":" in value:
            try:
                ipaddress.IPv6Address(value)
            except ValueError:
                raise Unfit("write the name or the address alone, and its port into port") from None
        return value


class Addresses(Field):
    """A list of 1 to ``most`` different addresses: host:port, a host alone, [IPv6]:port."""

    kind = "list of addresses"

    def __init__(self, meaning, most=8, default=REQUIRED):
        Field.__init__(self, meaning, default)
        self.most = most

    def expected(self) -> str:
        return f'a list of 1 to {self.most} different addresses, each "host:port" or "host"'

    def read(self, value) -> list:
        """[host, port] of each; the port is None where none is given."""
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise Unfit('write addresses in quotes between brackets, such as ["10.0.0.5:8883"]')
        if not 1 <= len(value) <= self.most:
            raise Unfit(f"name at least one and no more than {self.most}")
        read = []
        for text in value:
            address = _address(text)
            if address in read:
                raise Unfit(f"'{text}' is named twice: name it once")
            read.append(address)
        return read


def _address(text: str) -> list:
    found = _ADDRESS.match(text)
    if found is None:
        raise Unfit(f"'{text}' is none: write it without scheme, user or path, an IPv6 address in brackets")
    port = found["port"] and int(found["port"])
    if port is not None and not 1 <= port <= 65535:
        raise Unfit(f"'{text}' has port {port}: choose one from 1 to 65535")
    return [found["ipv6"] or found["host"], port]
