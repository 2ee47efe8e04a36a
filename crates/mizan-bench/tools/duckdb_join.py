"""Runs one DuckDB statement from a file and prints how long that took, without the start of the interpreter."""
import sys
import time

import duckdb

with open(sys.argv[1], encoding="utf-8") as file:
    statement = file.read()
connection = duckdb.connect()
began = time.perf_counter()
connection.execute(statement)
print(f"seconds={time.perf_counter() - began:.4f} version={duckdb.__version__}")
