"""The conformance suite: checks in six dimensions, registered by decorator (spec 3 "Conformance suite")."""

from packages.conformance import contract, guidance, performance, reliability, schema, security

__all__ = ["contract", "guidance", "performance", "reliability", "schema", "security"]
