"""How fast it is, each figure as a ratio against a rival timed in the same run: `make bench`."""
