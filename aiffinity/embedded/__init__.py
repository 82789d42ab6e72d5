"""The embedded PostgreSQL and Valkey servers, and what prepares and supervises a platform on one machine."""
