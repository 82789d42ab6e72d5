import pytest
@pytest.mark.django_db
def test_schema(api):
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.drainage import GENERATOR_STATS
    schema = SchemaGenerator().get_schema(request=None, public=True)
    paths=[p for p in schema["paths"] if "/runtime/" in p]
    print("\n".join(paths))
    GENERATOR_STATS.emit_summary()
def test_migrations(db):
    from django.core.management import call_command
    call_command("makemigrations","runtime", check=True, dry_run=True)
