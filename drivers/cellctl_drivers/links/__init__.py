"""Live links: the only code in this package that touches sockets. Foreign exceptions end here."""
