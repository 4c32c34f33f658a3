"""A local workspace that a Slack app cannot tell from Slack, for the methods and events this product uses.

It listens on loopback only, holds no real person's data unless somebody posts it, and is as strict as Slack is known
to be: where it were laxer, the tests that stand on it would lie.
"""
