#!/usr/bin/env bash
# A strike call across three countries, on five nodes: what each of them sees.
set -euo pipefail
folder=$(mktemp -d)
export PIQUET_STATE="$folder/state"
nodes=""
trap 'kill $nodes 2>/dev/null || true; rm -rf "$folder"' EXIT
at() { local who=$1; shift; piquet --home "$folder/$who" --lang en "$@"; }
wait_for() { for _ in $(seq 600); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.1; done; echo "not in time: $*" >&2; exit 1; }
shows() { at "$1" "${@:3}" | grep -q "$2"; }

people="amina bruno chidi diane eva"
for who in $people; do
  at "$who" init --no-passphrase --name "$who" >/dev/null
  piquet --home "$folder/$who" up --listen /ip4/127.0.0.1/tcp/0 >/dev/null &
  nodes="$nodes $!"
done
for who in $people; do wait_for shows "$who" Running status; done

at amina group create couriers
for who in bruno chidi diane eva; do at "$who" join "$(at amina invite couriers | tail -1)"; done
for who in $people; do wait_for shows "$who" eva group members couriers; done

at amina strike call couriers --title "One evening, three countries" --demand "A floor of 5 EUR a task" \
  --threshold 4 --answer-window 0s --leg "Europe/Paris;Lyon;2031-12-05T18:00;2031-12-05T22:00;2" \
  --leg "Europe/Madrid;Barcelona;2031-12-05T18:00;2031-12-05T22:00;1" \
  --leg "Africa/Nairobi;Nairobi;2031-12-05T20:00;2031-12-06T00:00;1" >/dev/null
for who in bruno chidi diane eva; do
  wait_for shows "$who" "three countries" strike list couriers
  at "$who" strike pledge couriers "$(at "$who" strike list couriers | head -1 | cut -c 1-8)" >/dev/null
done
wait_for shows amina "4 pledged" strike list couriers
for who in $people; do echo "--- $who"; at "$who" strike list couriers; done
