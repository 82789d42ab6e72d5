"""The audit log is insert-only: triggers refuse every other statement (spec 6 "audit")."""

from django.db import migrations

CREATE = """
CREATE FUNCTION lib_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The audit log is append-only: % is refused.', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER lib_auditentry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lib_auditentry
  FOR EACH STATEMENT EXECUTE FUNCTION lib_refuse_audit_change();
"""
DROP = """
DROP TRIGGER lib_auditentry_append_only ON lib_auditentry;
DROP FUNCTION lib_refuse_audit_change();
"""


class Migration(migrations.Migration):
    """Add the trigger that keeps audit entries as they were written."""

    dependencies = [("lib", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
