"""Airflow DAGs: entry points and assets, no data."""
