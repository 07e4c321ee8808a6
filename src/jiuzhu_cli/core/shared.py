"""What marks the Parquet files that districts hand over, for those who write them and those who read them."""

MARK = "jiuzhu_snapshot"  # key of the Parquet metadata: JSON with the names below
SCHEMA_VERSION = 1
