"""What was recorded: sessions, decided again to try settings or to find a server's rules, and room tests."""
