"""Where a live link leads: `scheme://host:port`."""

from __future__ import annotations

from urllib.parse import urlsplit

from cellctl.errors import DeviceError


def host_and_port(address: str, usual_port: int | None = None) -> tuple[str, int]:
    """Read the host and port of `modbus-tcp://10.0.1.20:502`. Raises DeviceError when there is none."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or usual_port
    except ValueError as error:  # a port that is no number, or too large
        raise DeviceError("link", address, f"cannot be read as an address: {error}") from None
    if not host or port is None or parts.path not in ("", "/") or parts.query or parts.fragment:
        example = f"{parts.scheme or 'tcp'}://10.0.1.31:{usual_port or 10000}"
        raise DeviceError("link", address, f"is no address of a device; write for example {example}")
    return host, port
