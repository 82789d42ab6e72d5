"""Dates that sort and say their zone: `2026-11-22 02:46:09 UTC`. Retries come a second apart."""

DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = r"Y-m-d H:i:s \U\T\C"
SHORT_DATETIME_FORMAT = DATETIME_FORMAT
