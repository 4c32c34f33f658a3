"""The whole system on one machine, from the same parts."""
