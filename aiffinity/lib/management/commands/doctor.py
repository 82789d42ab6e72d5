"""`manage.py doctor`: what is misconfigured or stuck, in plain words, with an exit status for monitors."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from aiffinity.lib.doctor import Finding, Severity, examine_all


class Command(BaseCommand):
    """Prints each finding with why it matters and what to do; the status is 0, 1 for warnings, 2 for faults."""

    help = "Says what is misconfigured or stuck. Exit status: 0 all is well, 1 warnings, 2 faults."
    # What the checks find is among the findings.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the output's form."""
        parser.add_argument("--json", action="store_true", help="Print the findings as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine, print, and end with the status of the worst finding."""
        findings = examine_all()
        status = max((finding.severity for finding in findings), default=Severity.NOTE)
        self.stdout.write(_as_json(findings, status) if options["json"] else _as_text(findings))
        if status:
            sys.exit(int(status))


def _as_json(findings: list[Finding], status: Severity) -> str:
    told = [{**vars(finding), "severity": finding.severity.name.lower()} for finding in findings]
    return json.dumps({"status": int(status), "findings": told}, indent=2, ensure_ascii=False)


def _as_text(findings: list[Finding]) -> str:
    if not findings:
        return "All is well."
    return "\n\n".join(
        f"{finding.severity.name}: {finding.what} [{finding.code}]\n  Why it matters: {finding.why}\n"
        f"  What to do: {finding.remedy}"
        for finding in findings
    )
