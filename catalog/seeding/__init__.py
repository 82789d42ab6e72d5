"""Made-up companies, packages, versions and review cases for demonstrations and benchmarks."""
