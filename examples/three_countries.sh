#!/usr/bin/env bash
# A strike call across three countries, on five nodes: what each person sees.
#
#     PATH="$PWD/target/debug:$PATH" examples/three_countries.sh
#
# One call is three local times; only its counter sees how many pledged; a call-off by anybody but the caller is
# refused. Nothing leaves this machine.
set -euo pipefail
unset PIQUET_HOME PIQUET_PASSPHRASE_FILE
folder=$(mktemp -d)
export PIQUET_STATE="$folder/state"
nodes=""
trap 'kill $nodes 2>/dev/null || true; wait; rm -rf "$folder"' EXIT

people="Amina Bruno Carla Diego Esther"
# Each on a laptop of their own, in their language and city.
at() {
  local lang=en
  case $1 in Amina | Bruno) lang=fr ;; esac
  piquet --home "$folder/$1" --lang $lang "${@:2}"
}
city() { case $1 in Amina | Bruno) echo Lyon ;; Carla | Diego) echo Barcelona ;; *) echo Nairobi ;; esac; }

title() { printf '\n== %s\n' "$*"; }
fail() { echo "$*" >&2; exit 1; }
# Waits until what somebody asks for, as JSON, holds a text.
until_holds() {
  for _ in $(seq 600); do
    case $(at "$2" --json "${@:3}" 2>/dev/null || true) in *"$1"*) return ;; esac
    sleep 0.1
  done
  fail "not in time: $1 in $* "
}
# One field of the call as somebody sees it.
field() { at "$1" --json strike list couriers | grep -o "\"$2\":[^,}]*" | head -1 | cut -d : -f 2- | tr -d '"'; }
# The call on somebody's screen, without the cities where they are not.
screen() {
  printf '\n%s, in %s:\n' "$1" "$(city "$1")"
  local others
  others=$(for who in $people; do city "$who"; done | grep -v "$(city "$1")" | sort -u | paste -s -d '|' -)
  at "$1" strike show couriers "$(field "$1" id)" | grep -vE "/[A-Za-z]+  ($others)" | sed 's/^/  /'
}

title "Five laptops, one group"
for who in $people; do
  at "$who" --json init --no-passphrase --name "$who" >/dev/null
  piquet --json --home "$folder/$who" up --listen /ip4/127.0.0.1/tcp/0 >"$folder/$who.log" &
  nodes="$nodes $!"
done
for who in $people; do until grep -q ready "$folder/$who.log"; do sleep 0.1; done; done
at Amina --json group create couriers >/dev/null
for who in Bruno Carla Diego Esther; do
  at "$who" join "$(at Amina invite couriers | grep ^PQ1)" | sed "s/^/$who: /"
done
for who in $people; do until_holds Esther "$who" group members couriers; done

title "Amina calls: one evening, three countries"
at Amina strike call couriers --title "One evening, three countries" --demand "A floor of 5 EUR a task" \
  --threshold 4 --answer-window 0s \
  --leg "Europe/Paris;Lyon;2031-12-05T18:00;2031-12-05T22:00;2" \
  --leg "Europe/Madrid;Barcelona;2031-12-05T18:00;2031-12-05T22:00;1" \
  --leg "Africa/Nairobi;Nairobi;2031-12-05T20:00;2031-12-06T00:00;1" >/dev/null
for who in $people; do until_holds "three countries" "$who" strike list couriers; done
for who in $people; do screen "$who"; done

title "The others pledge; Amina counts, and nobody else sees how many"
for who in Bruno Carla Diego Esther; do at "$who" strike pledge couriers "$(field "$who" id)" >/dev/null; done
until_holds '"pledges":4,' Amina strike list couriers
for who in $people; do
  seen=$(field "$who" pledges)
  case $seen in
    null) echo "$who sees no number; pledged: $(field "$who" mine)" ;;
    *) echo "$who sees that $seen pledged; pledged: $(field "$who" mine)" ;;
  esac
  [ "$who" = Amina ] || [ "$seen" = null ] || fail "only the counter may see the number"
done

title "Diego spreads that it is over, without the mandate"
code=0
at Diego strike call-off couriers "$(field Diego id)" --reason "It is over, go home" || code=$?
[ $code = 4 ] || fail "Diego's call-off must be refused, not end with $code"
for who in $people; do
  at "$who" --json strike list couriers | grep -q '"state":"pledging"' || fail "$who takes the call for called off"
done

title "Amina calls it off, and all see why"
at Amina strike call-off couriers "$(field Amina id)" --reason "They pay 5 EUR a task" >/dev/null
for who in $people; do
  until_holds "They pay" "$who" strike list couriers
  printf '%s: %s\n' "$who" "$(at "$who" strike show couriers "$(field "$who" id)" | grep "They pay" | head -1)"
done
