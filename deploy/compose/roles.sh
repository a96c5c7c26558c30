#!/bin/sh
# Roles and databases of the whole installation. It may run as often as it likes.
set -eu

psql --no-psqlrc --quiet --file=/compose/roles.sql postgres
psql --no-psqlrc --quiet --file=/compose/temporal-databases.sql postgres
