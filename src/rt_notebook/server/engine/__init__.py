"""The server's half of the protocol, pure: `engine.Engine` and its parts."""
