"""Books as folders and clearings as files."""
