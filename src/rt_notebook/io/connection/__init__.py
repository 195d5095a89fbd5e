"""One socket, what belongs to it alone, and a life over several of them."""
