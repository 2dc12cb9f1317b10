"""Data-quality checks of a day's partitions, without Spark.

Row counts come from manifests, nulls and ranges from the footers of the Parquet files; only ids and distributions need
rows: a few columns of two tables, streamed with pyarrow in batches. So a check costs seconds and bounded memory at any
number of users.
"""
