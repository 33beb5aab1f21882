"""Long and extreme runs: what no unit test has the time for."""
