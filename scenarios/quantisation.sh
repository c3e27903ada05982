#!/bin/sh
# Trains scenarios/quantisation.yaml without a quantiser, then from those weights with every method and number of bits, and
# compares all of them and PCA in one run on the same drops:
#   scenarios/quantisation.sh OUTPUT [KEY=VALUE ...]
# KEY=VALUE goes to --set of trainings and run, such as training.samples=2000 training.epochs=5 run.drops=100 for a trial.
# In the environment METHODS and BITS choose among methods and bits, REAL gives the epochs of the training without a quantiser
# (others are 'training.epochs'). What is trained already is not trained again, and what was interrupted goes on.
set -eu
mkdir -p "$1"
output=$(cd "$1" && pwd)
shift
scenario=$(dirname "$0")/quantisation.yaml
sets=
for pair in "$@"; do sets="$sets --set $pair"; done

# The keys of a method below 'training'.
keys() {
  case $1 in
    proposed) echo "quantizer.type=codebooks" ;;
    var1) echo "quantizer.type=codebooks quantizer.adaptive=false quantizer.reallocate=false" ;;
    var2) echo "quantizer.type=codebooks loss=mse" ;;
    lloyd) echo "quantizer.type=lloyd loss=mse" ;;
    lloyd_log) echo "quantizer.type=lloyd" ;;
    round) echo "quantizer.type=round loss=mse" ;;
    vector) echo "quantizer.type=vector quantizer.length=2 loss=mse" ;;
    *) echo "no method $1" >&2; exit 2 ;;
  esac
}

# shellcheck disable=SC2086
csilink train "$scenario" --output "$output" $sets \
  --set training.epochs="${REAL:-30}" --set training.schedule.factor=0.88
mv "$output/training.csv" "$output/training-real.csv"

labels=
for bits in ${BITS:-2 3 4}; do
  for method in ${METHODS:-proposed var1 var2 lloyd lloyd_log round vector}; do
    label=$method$bits
    labels="$labels${labels:+,}$label"
    chosen=
    for key in $(keys "$method"); do chosen="$chosen --set training.$key"; done
    # shellcheck disable=SC2086
    csilink train "$scenario" --output "$output" $sets $chosen \
      --set training.start="[$output]" --set training.quantizer.bits="$bits" --set training.label="$label"
    mv "$output/training.csv" "$output/training-$label.csv"
  done
done
# shellcheck disable=SC2086
csilink run "$scenario" --output "$output/networks" $sets --set codec.weights="$output" \
  --set quantizer=trained --set "sweep.codec.label=[$labels]"
