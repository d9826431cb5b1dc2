"""Programs of other versions: what is told apart is the schema that they make."""

import shutil
from pathlib import Path

from forum.adapters.sql import migrations

KARMA = 'ALTER TABLE "articles" ADD COLUMN "karma" INTEGER NOT NULL DEFAULT 0'
MOOD = 'ALTER TABLE "articles" ADD COLUMN "mood" INTEGER NOT NULL DEFAULT 0'

OWN = Path(migrations.__file__).parent

TODAY = migrations.latest()
"""The version that this program makes."""


def version(oldest: object, sql: str = KARMA) -> str:
    """The file of one that runs the statement."""
    return f"OLDEST = {oldest!r}\n\n\ndef up(migrator, db):\n    db.execute_sql({sql!r})\n"


def make_versions(folder: Path, *later: str) -> None:
    """Fill the folder with our versions, and with later ones of these texts."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in OWN.glob("[0-9]*.py"):
        shutil.copy2(file, folder)
    for number, text in enumerate(later, TODAY + 1):
        (folder / f"{number:04}_later.py").write_text(text)


class Releases:
    """Installed programs, and a link to the one that counts, as operators switch it."""

    def __init__(self, folder: Path) -> None:
        self.current = folder / "current"
        self._folder = folder

    def install(self, *later: str) -> None:
        """Put the program in place whose schema has further versions of these texts."""
        release = self._folder / f"release{len(later)}"
        if not release.exists():
            shutil.copytree(OWN.parents[3] / "forum", release / "forum")
            make_versions(release / OWN.relative_to(OWN.parents[3]), *later)
        self.remove()
        self.current.symlink_to(release)

    def remove(self) -> None:
        """Leave no program in place."""
        self.current.unlink(missing_ok=True)
