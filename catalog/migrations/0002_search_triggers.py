"""Triggers keep the search document of every package."""

from django.db import migrations

WRITE = """
CREATE FUNCTION catalog_write_search_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO catalog_searchdocument (package_id, text, vector)
    SELECT package.id,
           concat_ws(' ', package.name, words.keywords, account.company_name, package.description),
           setweight(to_tsvector('simple', package.name), 'A')
               || setweight(to_tsvector('simple', concat_ws(' ', words.keywords, account.company_name)), 'B')
               || setweight(to_tsvector('simple', package.description), 'C')
    FROM packages_package package
    JOIN providers_account account ON account.id = package.account_id
    CROSS JOIN LATERAL (
        SELECT string_agg(keyword, ' ') AS keywords
        FROM jsonb_array_elements_text(
            CASE jsonb_typeof(package.keywords) WHEN 'array' THEN package.keywords ELSE '[]' END
        ) AS each(keyword)
    ) words
    WHERE CASE TG_TABLE_NAME WHEN 'packages_package' THEN package.id ELSE package.account_id END = NEW.id
    ON CONFLICT (package_id) DO UPDATE SET text = EXCLUDED.text, vector = EXCLUDED.vector;
    RETURN NULL;
END $$;

CREATE FUNCTION catalog_delete_search_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM catalog_searchdocument WHERE package_id = OLD.id;
    RETURN NULL;
END $$;

CREATE TRIGGER catalog_package_written
AFTER INSERT OR UPDATE OF name, description, keywords, account_id ON packages_package
FOR EACH ROW EXECUTE FUNCTION catalog_write_search_document();

CREATE TRIGGER catalog_publisher_renamed
AFTER UPDATE OF company_name ON providers_account
FOR EACH ROW WHEN (OLD.company_name IS DISTINCT FROM NEW.company_name)
EXECUTE FUNCTION catalog_write_search_document();

CREATE TRIGGER catalog_package_deleted
AFTER DELETE ON packages_package
FOR EACH ROW EXECUTE FUNCTION catalog_delete_search_document();

UPDATE packages_package SET name = name;
"""

REMOVE = """
DROP TRIGGER catalog_package_deleted ON packages_package;
DROP TRIGGER catalog_publisher_renamed ON providers_account;
DROP TRIGGER catalog_package_written ON packages_package;
DROP FUNCTION catalog_delete_search_document();
DROP FUNCTION catalog_write_search_document();
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial"), ("packages", "0001_initial"), ("providers", "0001_initial")]

    operations = [migrations.RunSQL(WRITE, REMOVE)]
