"""The pure core: no clock, no socket, no thread. Time comes in as an argument."""
