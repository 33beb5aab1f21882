"""What goes into a clearing and what comes out: markets, orders, outcomes."""
