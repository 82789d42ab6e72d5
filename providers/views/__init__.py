"""Views of the providers room."""
