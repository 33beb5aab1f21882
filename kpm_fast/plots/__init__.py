"""Pictures of clearings, quotes and sweeps, and their style."""
