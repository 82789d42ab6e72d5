"""Bodies and answers of the runtime API, by topic."""
