"""The newest entry of every audit chain is kept apart, so that entries missing at a chain's end are found."""

from django.db import migrations, models

CREATE = """
CREATE FUNCTION lib_keep_audit_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO lib_audithead (subject, sequence, hash) VALUES (NEW.subject, NEW.sequence, NEW.hash)
  ON CONFLICT (subject) DO UPDATE SET sequence = EXCLUDED.sequence, hash = EXCLUDED.hash;
  RETURN NULL;
END
$$;
CREATE TRIGGER lib_auditentry_keep_head AFTER INSERT ON lib_auditentry
  FOR EACH ROW EXECUTE FUNCTION lib_keep_audit_head();

CREATE FUNCTION lib_refuse_audit_head_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Depth 2 is a write of the trigger above.
  IF pg_trigger_depth() < 2 THEN
    RAISE EXCEPTION 'The heads of the audit log follow its entries: % is refused.', TG_OP
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER lib_audithead_follows BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON lib_audithead
  FOR EACH STATEMENT EXECUTE FUNCTION lib_refuse_audit_head_change();
"""
DROP = """
DROP TRIGGER lib_audithead_follows ON lib_audithead;
DROP FUNCTION lib_refuse_audit_head_change();
DROP TRIGGER lib_auditentry_keep_head ON lib_auditentry;
DROP FUNCTION lib_keep_audit_head();
"""
FILL = """
INSERT INTO lib_audithead (subject, sequence, hash)
SELECT DISTINCT ON (subject) subject, sequence, hash FROM lib_auditentry ORDER BY subject, sequence DESC
"""


class Migration(migrations.Migration):
    """Adds the table of heads, fills it from the log and lets a trigger keep it."""

    dependencies = [("lib", "0002_audit_triggers")]

    operations = [
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("subject", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("sequence", models.PositiveIntegerField()),
                ("hash", models.CharField(max_length=64)),
            ],
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(CREATE, DROP),
    ]
