"""Keys: the type that holds them, where they come from, and what keeps them out of everything else."""
