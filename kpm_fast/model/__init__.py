"""Inputs and outputs of a clearing: markets, makers, orders, outcomes."""
