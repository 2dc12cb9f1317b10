"""Feast definitions over the derived tables."""

from contracts.feast_engine import skip_type_instrumentation

skip_type_instrumentation()  # before any module of this package imports Feast
