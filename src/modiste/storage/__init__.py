"""The shop on disk: file format, durability, database, backups and object storage."""
