"""The real world: asyncio, ZeroMQ with CURVE, SQLite and real sockets behind the `Runtime`."""
