"""Long and extreme runs, which take more time than unit tests may."""
