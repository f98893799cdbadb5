#!/usr/bin/env bash
# A strike call across three countries, on five nodes: what each of them sees.
#
#     PATH="$PWD/target/debug:$PATH" examples/three_countries.sh
#
# Amina and Bruno ride in Lyon, Carla and Diego in Barcelona, Esther labels data in Nairobi. Each has a node of their
# own; nothing leaves this machine. Shows that one call is three local times, that only its counter
# sees how many pledged, and that a call-off by anybody but the caller is refused.
set -euo pipefail
unset PIQUET_HOME PIQUET_PASSPHRASE_FILE
folder=$(mktemp -d)
export PIQUET_STATE="$folder/state"
nodes=()
trap 'kill "${nodes[@]}" 2>/dev/null; wait; rm -rf "$folder"' EXIT

people=(amina bruno carla diego esther)
declare -A city=([amina]=Lyon [bruno]=Lyon [carla]=Barcelona [diego]=Barcelona [esther]=Nairobi)

at() { piquet --home "$folder/$1" --lang en "${@:2}"; }
title() { printf '\n== %s\n' "$*"; }
# The first call's id, as a person would copy it from the list.
call() { at "$1" strike list couriers | head -1 | cut -c 1-8; }
# Waits until what a person asks for shows a text.
until_shows() {
  local text=$1
  for _ in $(seq 600); do
    if at "${@:2}" 2>/dev/null | grep -q "$text"; then return; fi
    sleep 0.1
  done
  echo "not in time: '$text' in: ${*:2}" >&2
  exit 1
}
# The call on one person's screen: title, their own leg, pledges, who called, why it is off.
screen() {
  printf '%s, %s\n' "${1^}" "${city[$1]}"
  at "$1" strike show couriers "$(call "$1")" |
    grep -E "${city[$1]}|pledged|[Pp]ledges|CALLED OFF|Called|pledging" | sed 's/^[0-9a-f]\{8\}  //; s/^ */    /'
}

title "Five laptops, one group"
for who in "${people[@]}"; do
  at "$who" init --no-passphrase --name "$who" >/dev/null
  at "$who" up --listen /ip4/127.0.0.1/tcp/0 >/dev/null &
  nodes+=($!)
done
for who in "${people[@]}"; do until_shows Running "$who" status; done
at amina group create couriers >/dev/null
for who in "${people[@]:1}"; do at "$who" join "$(at amina invite couriers | grep ^PQ1)" >/dev/null; done
for who in "${people[@]}"; do until_shows esther "$who" group members couriers; done
at esther group members couriers

title "Amina calls: one evening, three countries"
at amina strike call couriers --title "One evening, three countries" --demand "A floor of 5 EUR a task" \
  --threshold 4 --answer-window 0s \
  --leg "Europe/Paris;Lyon;2031-12-05T18:00;2031-12-05T22:00;2" \
  --leg "Europe/Madrid;Barcelona;2031-12-05T18:00;2031-12-05T22:00;1" \
  --leg "Africa/Nairobi;Nairobi;2031-12-05T20:00;2031-12-06T00:00;1" >/dev/null
for who in "${people[@]}"; do
  until_shows "three countries" "$who" strike list couriers
  screen "$who"
done

title "Four pledge: Amina, the counter, sees how many; nobody else does"
for who in "${people[@]:1}"; do at "$who" strike pledge couriers "$(call "$who")" >/dev/null; done
until_shows "4 pledged" amina strike list couriers
for who in "${people[@]}"; do screen "$who"; done
if at bruno strike list couriers | grep -q "4 pledged"; then echo "Bruno must not see the count" >&2; exit 1; fi

title "Diego says that it is over: he may not"
if at diego strike call-off couriers "$(call diego)" --reason "It is over, go home" 2>&1; then
  echo "a forged call-off must be refused" >&2
  exit 1
fi

title "Amina calls it off: the platforms pay"
at amina strike call-off couriers "$(call amina)" --reason "They pay 5 EUR a task" >/dev/null
for who in "${people[@]}"; do
  until_shows "They pay 5 EUR" "$who" strike list couriers
  screen "$who"
done
