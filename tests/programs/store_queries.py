"""Runs queries of the store's documentation: lines of JSON {"engine", "sql"} in, lines of JSON with the rows out."""

import json
import sqlite3
import sys

import duckdb

for line in sys.stdin:
    query = json.loads(line)
    if query["engine"] == "duckdb":
        rows = duckdb.sql(query["sql"]).fetchall()
    else:
        rows = sqlite3.connect("file:store.sqlite?mode=ro", uri=True).execute(query["sql"]).fetchall()
    print(json.dumps(rows, default=str))
