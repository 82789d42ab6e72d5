"""Programs that use the platform from outside."""
