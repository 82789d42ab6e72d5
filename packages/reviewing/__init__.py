"""What happens to a case before reviewers: the verbs of the review domain, by topic (spec 3 "Reviewing").

This file imports nothing: `packages.guards` asks `packages.reviewing.approvers`, and the verbs go through the
state machine, which asks the guards.
"""
