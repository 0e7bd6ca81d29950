#!/bin/sh
# Runs once on each node, on an empty volume: the database, its owner, who is no superuser, and how nodes sign in at each other.
set -eu
password=$(cat /run/secrets/tripdeck_password)
postgres_password=$(cat /run/secrets/postgres_password)
psql --set=ON_ERROR_STOP=1 --set=password="$password" --set=postgres_password="$postgres_password" \
    --username=postgres --dbname=postgres <<'SQL'
create role tripdeck login createrole password :'password';
create database tripdeck owner tripdeck encoding 'UTF8' template template0;
\connect tripdeck
create extension if not exists citus;
insert into pg_dist_authinfo
values (0, 'postgres', 'password=' || :'postgres_password'), (0, 'tripdeck', 'password=' || :'password');
SQL
