"""The drift report: what changed between two versions, and whom it concerns (spec 3 "Drift report")."""

from packages.drift.report import Change, DriftReport, Level, compare

__all__ = ["Change", "DriftReport", "Level", "compare"]
