"""A recording as an endpoint."""
