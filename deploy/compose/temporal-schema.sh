#!/bin/sh
# Temporal's tables. The schemas are embedded in the tool; a database that is up to date stays as
# it is. The databases are there already (temporal-databases.sql): `create` would need more rights.
set -eu

for schema in temporal visibility; do
    database=temporal
    [ "$schema" = visibility ] && database=temporal_visibility
    temporal-sql-tool --database "$database" setup-schema --version 0.0
    temporal-sql-tool --database "$database" update-schema --schema-name "postgresql/v12/$schema"
done
