"""Tests of the staff console's frame."""
