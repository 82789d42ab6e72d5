"""The database counts no approver who submitted or owns the version, and none for two places; a tier is hashed."""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("packages.migrations.0002_listing_needs_approvals")

COUNT_APPROVERS = """
CREATE OR REPLACE FUNCTION packages_require_approvals() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    listed packages_version%ROWTYPE;
    approvers integer;
    security integer;
    architecture integer;
    special integer;
BEGIN
    -- The trigger runs at commit: what counts is the row as it stands then, not as it stood at the write.
    SELECT * INTO listed FROM packages_version WHERE id = NEW.id AND state = 'listed';
    IF NOT FOUND OR listed.risk_tier = 'data_only' THEN
        RETURN NULL;
    END IF;
    SELECT count(*), count(*) FILTER (WHERE is_security), count(*) FILTER (WHERE is_architecture),
           count(*) FILTER (WHERE is_security OR is_architecture)
    INTO approvers, security, architecture, special
    FROM (
        SELECT bool_or(d.is_security) AS is_security, bool_or(d.is_architecture) AS is_architecture
        FROM packages_reviewdecision d JOIN packages_review r ON r.id = d.review_id
        WHERE r.version_id = listed.id AND d.decision = 'approve' AND d.content_hash = listed.content_hash
          AND d.reviewer_id IS DISTINCT FROM listed.submitted_by_id
          AND d.reviewer_id NOT IN (
              SELECT a.owner_id FROM packages_package p JOIN providers_account a ON a.id = p.account_id
              WHERE p.id = listed.package_id)
        GROUP BY d.reviewer_id
    ) AS by_reviewer;
    -- Two special reviewers where both kinds are needed: one who is of both kinds fills one place.
    IF approvers < (CASE WHEN listed.risk_tier = 'action_capable' THEN 1 ELSE 2 END)
       OR (listed.risk_tier IN ('high_trust', 'strategic_surface') AND security = 0)
       OR (listed.risk_tier = 'strategic_surface' AND (architecture = 0 OR special < 2)) THEN
        RAISE EXCEPTION 'Version % is not approved for %: % approvers.', listed.id, listed.risk_tier, approvers
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
"""
CREATE_TIER_CHECK = """
CREATE FUNCTION packages_refuse_tier_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The tier of version % changed and its content hash did not.', NEW.id
        USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER version_tier_is_hashed BEFORE UPDATE OF risk_tier ON packages_version FOR EACH ROW
WHEN (NEW.risk_tier <> OLD.risk_tier AND NEW.content_hash = OLD.content_hash)
EXECUTE FUNCTION packages_refuse_tier_change();
"""
DROP_TIER_CHECK = """
DROP TRIGGER version_tier_is_hashed ON packages_version;
DROP FUNCTION packages_refuse_tier_change();
"""
COUNT_AS_BEFORE = BEFORE.CREATE_FUNCTION.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    """Replaces the function of the deferred trigger, and ties the tier to the content hash."""

    dependencies = [("packages", "0002_listing_needs_approvals")]

    operations = [
        migrations.RunSQL(COUNT_APPROVERS, COUNT_AS_BEFORE),
        migrations.RunSQL(CREATE_TIER_CHECK, DROP_TIER_CHECK),
    ]
