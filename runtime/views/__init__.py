"""Views of the runtime API, by topic."""
