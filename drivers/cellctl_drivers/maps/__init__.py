"""Register maps as data, one file per device: name, table, address, type, scale, unit, source. Nothing here acts."""
