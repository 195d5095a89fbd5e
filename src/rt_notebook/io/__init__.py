"""Everything that touches the outside: sockets, threads, clocks, files, credentials."""
