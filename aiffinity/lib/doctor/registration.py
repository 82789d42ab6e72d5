"""The library's own examinations."""

from aiffinity.lib.doctor import database, deployment, processes, records, register_examination


def register_all() -> None:
    """Register every examination of the library."""
    register_examination("configuration", deployment.examine_configuration, needs_database=False)
    register_examination("disk", deployment.examine_disk, needs_database=False)
    register_examination("redis", processes.examine_redis, needs_database=False)
    register_examination("workers", processes.examine_workers, needs_database=False)
    register_examination("stored configuration", deployment.examine_stored_configuration)
    register_examination("migrations", database.examine_migrations)
    register_examination("connections", database.examine_connections)
    register_examination("clocks", database.examine_clocks)
    register_examination("beat", processes.examine_beat)
    register_examination("encryption keys", records.examine_encryption_keys)
    register_examination("mails", records.examine_mails)
    register_examination("audit log", records.examine_audit_log)
