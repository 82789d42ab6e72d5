"""Bodies and answers of the packages API, by topic."""
