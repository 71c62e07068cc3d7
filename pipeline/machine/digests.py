"""SHA-256 of files that seldom change: each is read once, and again when its size or its time of change is another."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path


def file_digests(files: Iterable[Path], notes: Path) -> Iterator[str]:
    """The digests of files, from the notes where a file is as it was when it was read last.

    Args:
        files: read in order.
        notes: an SQLite file, made if missing; it may be deleted at any time.

    Yields:
        SHA-256 in hexadecimal digits, in the order of the files.

    Raises:
        OSError: if a file cannot be read.
    """
    notes.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(notes, timeout=60)) as database:
        database.execute("CREATE TABLE IF NOT EXISTS digest (path TEXT PRIMARY KEY, state TEXT, sha256 TEXT)")
        try:
            for file in files:
                yield _digest(file, database)
        finally:  # what was read before a failure need not be read again
            database.commit()


def _digest(file: Path, database: sqlite3.Connection) -> str:
    path, facts = str(file.resolve()), file.stat()
    state = f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ino}"
    row = database.execute("SELECT sha256 FROM digest WHERE path = ? AND state = ?", (path, state)).fetchone()
    if row is not None:
        return str(row[0])
    with file.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    database.execute("INSERT OR REPLACE INTO digest VALUES (?, ?, ?)", (path, state, sha256))
    return sha256
