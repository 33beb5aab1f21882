"""Independent checks of a clearing, in plain NumPy."""
