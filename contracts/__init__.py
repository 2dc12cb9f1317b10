"""What every room agrees on: columns, tables, snapshots, payloads, keys, names, settings, errors."""
