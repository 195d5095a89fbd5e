"""The embedded realtime server: a pure engine, a thin socket shell, and four speech components."""
