"""The first schema: users and their articles."""

from peewee import Database, DateTimeField, ForeignKeyField, Model, TextField
from playhouse.migrate import SchemaMigrator

from forum.adapters.sql.migrations import key_field

OLDEST = 1


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Create both tables and the indexes that every list and look-up walks."""

    class User(Model):
        id = key_field(db)
        username = TextField(unique=True)
        password_hash = TextField()
        date_registered = DateTimeField()

        class Meta:
            database = db
            table_name = "users"

    class Article(Model):
        id = key_field(db)
        user = ForeignKeyField(User, index=False)
        date_posted = DateTimeField()
        title = TextField()
        # The last column: SQLite reads a row from its beginning, so a list never loads the texts.
        text = TextField()

        class Meta:
            database = db
            table_name = "articles"
            indexes = ((("date_posted", "id"), False), (("user", "date_posted", "id"), False))

    db.create_tables([User, Article])
