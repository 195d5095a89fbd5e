"""The server's shell: sockets, who may come in, what one client may ask for, and faults on purpose."""
