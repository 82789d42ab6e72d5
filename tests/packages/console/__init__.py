"""Tests of the review console, without a browser."""
