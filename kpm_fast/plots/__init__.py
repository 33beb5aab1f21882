"""The look of the package's figures."""
