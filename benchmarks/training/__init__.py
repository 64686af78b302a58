"""How fast candidates are trained, and what comes of it."""
