"""Wire servers: the same simulated devices on real sockets, for independent clients and for the live world."""
