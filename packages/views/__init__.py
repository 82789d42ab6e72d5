"""Views of the packages API, by topic."""
