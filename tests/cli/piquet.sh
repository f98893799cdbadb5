#!/bin/sh
# `piquet` on the manual's pages: takes `"$(…)"` in arguments as the reader's shell would, and prints
# [id], [time], [code] and [words] for what differs at each run. (Times of 2031 are the pages' own.)
count=$#
while [ "$count" -gt 0 ]; do
  argument=$1
  shift
  case $argument in '$('*')') argument=$(eval "${argument#'$'}") ;; esac
  set -- "$@" "$argument"
  count=$((count - 1))
done
output=$("$PIQUET" "$@" 2>&1 </dev/null)
code=$?
[ -z "$output" ] || printf '%s\n' "$output" | sed -E \
  -e 's/[0-9a-f]{64}/[id]/g' \
  -e ':again; s/(^|[^0-9a-z-])[0-9a-f]{8}($|[^0-9a-z-])/\1[id]\2/; t again' \
  -e 's/([a-z]{4}-){3}[a-z]{4}/[words]/g' \
  -e 's/PQ1[0-9A-Z]{40,}/[code]/g' \
  -e 's/(202[0-9]|2030)-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}|T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)/[time]/g'
exit $code
