#!/bin/sh
# Runs once, on an empty volume: the database and its owner, who is no superuser; TimescaleDB where the image has it.
set -eu
password=$(cat /run/secrets/tripdeck_password)
psql --set=ON_ERROR_STOP=1 --set=password="$password" --username=postgres --dbname=postgres <<'SQL'
create role tripdeck login createrole password :'password';
create database tripdeck owner tripdeck encoding 'UTF8' template template0;
\connect tripdeck
select format('create extension if not exists %I', name) from pg_available_extensions where name = 'timescaledb' \gexec
SQL
