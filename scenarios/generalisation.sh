#!/bin/sh
# Trains scenarios/generalisation.yaml on each kind of channel and on all of them, then tests every training on every kind in one run:
#   scenarios/generalisation.sh OUTPUT [KEY=VALUE ...]
# KEY=VALUE goes to --set of trainings and run, such as training.samples=500 training.epochs=2 run.drops=50 for a trial. OUTPUT/matrix/report.csv
# has a row for each training (codec.label) and kind of channel. What is trained already is not trained again, and what was
# interrupted goes on.
set -eu
mkdir -p "$1"
output=$(cd "$1" && pwd)
shift
scenario=$(dirname "$0")/generalisation.yaml
sets=
for pair in "$@"; do sets="$sets --set $pair"; done

train() {
  # shellcheck disable=SC2086
  csilink train "$scenario" --output "$output" $sets --set training.label="$1" --set training.mix="$2"
  mv "$output/training.csv" "$output/training-$1.csv"
}
train cost2100 '[1,0,0]'
train umi '[0,1,0]'
train inh '[0,0,1]'
train all '[1,1,1]'
# shellcheck disable=SC2086
csilink run "$scenario" --output "$output/matrix" $sets --set codec.weights="$output" \
  --set "sweep.codec.label=[cost2100,umi,inh,all]"
