"""The database refuses a listed version without its tier's approvals for the same content (spec 6 "review")."""

from django.db import migrations

CREATE_FUNCTION = """
CREATE FUNCTION packages_require_approvals() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    listed packages_version%ROWTYPE;
    approvers integer;
    needed integer;
    has_security boolean;
    has_architecture boolean;
BEGIN
    -- The trigger runs at commit: what counts is the row as it stands then, not as it stood at the write.
    SELECT * INTO listed FROM packages_version WHERE id = NEW.id AND state = 'listed';
    IF NOT FOUND OR listed.risk_tier = 'data_only' THEN
        RETURN NULL;
    END IF;
    SELECT count(DISTINCT d.reviewer_id), coalesce(bool_or(d.is_security), false),
           coalesce(bool_or(d.is_architecture), false)
    INTO approvers, has_security, has_architecture
    FROM packages_reviewdecision d JOIN packages_review r ON r.id = d.review_id
    WHERE r.version_id = listed.id AND d.decision = 'approve' AND d.content_hash = listed.content_hash;
    needed := (CASE WHEN listed.risk_tier = 'action_capable' THEN 1 ELSE 2 END);
    IF approvers < needed
       OR (listed.risk_tier IN ('high_trust', 'strategic_surface') AND NOT has_security)
       OR (listed.risk_tier = 'strategic_surface' AND NOT has_architecture) THEN
        RAISE EXCEPTION 'Version % is not approved for %: % approvers.', listed.id, listed.risk_tier, approvers
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
"""

CREATE_TRIGGER = """
CREATE CONSTRAINT TRIGGER version_listed_with_approvals
AFTER INSERT OR UPDATE OF state, risk_tier, content_hash ON packages_version
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.state = 'listed') EXECUTE FUNCTION packages_require_approvals();
"""

DROP_TRIGGER = "DROP TRIGGER version_listed_with_approvals ON packages_version"
DROP_FUNCTION = "DROP FUNCTION packages_require_approvals()"


class Migration(migrations.Migration):
    """Adds the deferred constraint trigger."""

    dependencies = [("packages", "0001_initial")]

    operations = [migrations.RunSQL([CREATE_FUNCTION, CREATE_TRIGGER], [DROP_TRIGGER, DROP_FUNCTION])]
