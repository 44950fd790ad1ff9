#!/usr/bin/env bash
# Runs the fuzz programs that build/fuzz has, two at a time, a line each: runs, seconds, edges covered, what was found.
# usage: fuzz.sh SECONDS [PROGRAM…]   from anywhere; seconds of each program; default: all of them
# Under build/fuzz/corpus/PROGRAM: seeds (made anew), found (kept from run to run), words, log, and the inputs that it failed on.
# Exit code 1 when one failed.
set -euo pipefail
if [ $# -lt 1 ] || ! [[ $1 =~ ^[0-9]+$ ]]; then
  echo "usage: fuzz.sh SECONDS [PROGRAM…]" >&2
  exit 2
fi
cd "$(dirname "$0")/../.."
export seconds=$1
shift
[ $# -gt 0 ] || set -- $(cd build/fuzz/bin && ls -1 | grep '_fuzz$')

run() {
  local program=build/fuzz/bin/$1 home=build/fuzz/corpus/$1
  rm -rf "$home/seeds" && mkdir -p "$home/seeds" "$home/found"
  LIVEOPS_FUZZ_CORPUS=$home "$program"
  local begin=$SECONDS result=0
  local words=()
  [ ! -s "$home/words" ] || words=(-dict="$home/words")
  "$program" -max_total_time="$seconds" "${words[@]}" -artifact_prefix="$home/" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -use_value_profile=1 "$home/found" "$home/seeds" >"$home/log" 2>&1 || result=$?
  local runs edges files
  runs=$(sed -nE 's/^stat::number_of_executed_units: +//p' "$home/log")
  edges=$(grep -oE 'cov: [0-9]+' "$home/log" | tail -n 1 | cut -c6-)
  files=$(sed -nE 's/.*Test unit written to //p' "$home/log" | tr '\n' ' ')
  printf '  fuzz  %-34s %9s runs %5d s %6s edges  %s\n' "$1" "${runs:-?}" $((SECONDS - begin)) "${edges:-?}" \
    "$([ "$result" -eq 0 ] && echo ok || echo "FAILED: ${files:-see $home/log}")"
  return "$result"
}
export -f run
export ASAN_OPTIONS=allocator_may_return_null=0 UBSAN_OPTIONS=print_stacktrace=1
printf '%s\n' "$@" | xargs -P 2 -I{} bash -c 'run {} || exit 1'
