"""Clearing a book: the calls into the compiled core."""
