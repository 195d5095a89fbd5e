"""The event log and its folds. Pure: everything here can be computed again from saved events."""
