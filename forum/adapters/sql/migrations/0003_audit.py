"""What was done to accounts, by whom and when."""

from peewee import (
    CharField,
    Database,
    DateTimeField,
    IntegerField,
    Model,
    TextField,
)
from playhouse.migrate import SchemaMigrator

from forum.adapters.sql.migrations import key_field

OLDEST = 3


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Create the table. Its users are named, not referred to: it outlives them."""

    class Id(IntegerField):
        field_type = "bigint"  # Peewee would make it narrow in the words of one of them.

    class AuditEntry(Model):
        id = key_field(db)
        moment = DateTimeField(index=True)
        event = CharField()
        actor = CharField()
        user_id = Id()
        username = CharField(index=True)
        address = CharField()
        details = TextField()

        class Meta:
            database = db
            table_name = "audit_entries"

    db.create_tables([AuditEntry])
