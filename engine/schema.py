"""The tables of a library file, and how those of older versions become today's."""

from __future__ import annotations

# The statements of each version, never changed once released: a library remembers in user_version
# how many it has been through. Embeddings and tokens are apart, so that reading all of the former
# does not drag the latter, four times larger, from the disk.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE roots (
            id INTEGER PRIMARY KEY,
            path BLOB NOT NULL UNIQUE           -- absolute, as the file system spells it
        )""",
        """CREATE TABLE photos (
            id INTEGER PRIMARY KEY,
            root INTEGER NOT NULL REFERENCES roots (id) ON DELETE CASCADE,
            path BLOB NOT NULL,                 -- relative to the root, "/" between its parts
            size INTEGER NOT NULL,              -- bytes
            mtime_ns INTEGER NOT NULL,
            fingerprint BLOB,                   -- NULL where the photo failed
            error TEXT,                         -- JSON, NULL where it did not
            UNIQUE (root, path)
        )""",
        "CREATE INDEX photos_by_fingerprint ON photos (fingerprint)",
        """CREATE TABLE models (
            id INTEGER PRIMARY KEY,
            model_id TEXT NOT NULL UNIQUE,
            embedding_size INTEGER NOT NULL,    -- E
            token_count INTEGER NOT NULL,       -- K
            token_size INTEGER NOT NULL         -- C
        )""",
        """CREATE TABLE features (
            id INTEGER PRIMARY KEY,
            model INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
            fingerprint BLOB NOT NULL,
            embedding BLOB NOT NULL,            -- float16 [E], little-endian
            UNIQUE (model, fingerprint)
        )""",
        """CREATE TABLE tokens (
            feature INTEGER PRIMARY KEY REFERENCES features (id) ON DELETE CASCADE,
            data BLOB NOT NULL                  -- float16 [K, C], little-endian
        )""",
    ),
    # Tokens are int8 [K, C] from here on. Earlier features are dropped: indexing makes them again.
    ("DELETE FROM tokens", "DELETE FROM features", "DELETE FROM models"),
    # Several folders, drives that come and go, deleted photos that may return, and what a search
    # filters by. Photos known from before have no details until they are indexed again.
    (
        """CREATE TABLE places (                -- folders at which another drive begins
            root INTEGER NOT NULL REFERENCES roots (id) ON DELETE CASCADE,
            path BLOB NOT NULL,                 -- relative to the root, empty for the root itself
            mount BLOB NOT NULL,                -- absolute: where that drive is mounted
            PRIMARY KEY (root, path)
        )""",
        "ALTER TABLE photos ADD COLUMN gone INTEGER",    # since when, in seconds; NULL: it is there
        "ALTER TABLE photos ADD COLUMN taken TEXT",      # local time: 2026-11-24T18:30:00
        "ALTER TABLE photos ADD COLUMN width INTEGER",   # upright, as is the height
        "ALTER TABLE photos ADD COLUMN height INTEGER",
        "ALTER TABLE models ADD COLUMN pack BLOB",       # the model pack's folder
    ),
    # When all of a root was last looked through, in seconds since 1970; NULL: not since this.
    ("ALTER TABLE roots ADD COLUMN looked INTEGER",),
    # By what a program tells that what it has in memory of a library still holds.
    (
        """CREATE TABLE state (                 -- one row
            library BLOB NOT NULL,              -- random: this file, and none made in its place
            changes INTEGER NOT NULL            -- of its photos and features, one a transaction
        )""",
        "INSERT INTO state (library, changes) VALUES (randomblob(16), 0)",
    ),
)  # fmt: skip
TABLES = frozenset({"roots", "photos", "models", "features", "tokens", "places", "state"})
