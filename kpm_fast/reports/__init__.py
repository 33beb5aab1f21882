"""A clearing as one HTML file."""
