"""Sessions that can be ended, users who can be kept out, and counters of what happens too often."""

from peewee import (
    CharField,
    Database,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    Model,
)
from playhouse.migrate import SchemaMigrator

from forum.adapters.sql.migrations import key_field

OLDEST = 2


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Create both tables and let everybody in as before, with a new login."""

    class User(Model):
        id = key_field(db)

        class Meta:
            database = db
            table_name = "users"

    class Session(Model):
        id = key_field(db)
        user = ForeignKeyField(User)
        created = DateTimeField()
        last_used = DateTimeField()
        expires = DateTimeField(index=True)

        class Meta:
            database = db
            table_name = "sessions"

    class Counter(Model):
        key = CharField(primary_key=True)
        taken = IntegerField()
        resets = DateTimeField(index=True)

        class Meta:
            database = db
            table_name = "counters"

    db.create_tables([Session, Counter])
    # By hand: in SQLite the migrator would rebuild the table, without AUTOINCREMENT.
    db.execute_sql('ALTER TABLE "users" ADD COLUMN "is_disabled" BOOLEAN NOT NULL DEFAULT false')
