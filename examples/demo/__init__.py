"""The whole story over HTTP, from sign-up to a verified webhook: `make demo`."""
