"""Write the docs that are made from the code."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from aiffinity.lib.generated_docs import generated_docs


class Command(BaseCommand):
    """Render every generated page into docs/, or check that the pages there are current."""

    help = "Writes the pages of docs/ that are made from the code; --check only compares them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--check`."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Write or compare each page."""
        stale = []
        for name, render in sorted(generated_docs.items()):
            path = settings.BASE_DIR / "docs" / name
            text = render()
            if path.exists() and path.read_text(encoding="utf-8") == text:
                continue
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
                self.stdout.write(f"wrote docs/{name}")
        if check and stale:
            raise CommandError(f"Run `manage.py render_docs`; not current: {', '.join(stale)}.")
