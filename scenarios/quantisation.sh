#!/bin/sh
# Trains scenarios/quantisation.yaml without a quantiser, then from those weights with every method and number of bits, and
# compares all of them and PCA in one run on the same drops:
#   scenarios/quantisation.sh OUTPUT [KEY=VALUE ...]
# KEY=VALUE goes to --set of trainings and run, such as codec.network=acrnet-1x sweep.codec.compression=[4] run.drops=100.
# In the environment METHODS and BITS choose among methods and bits, REAL and THROUGH are settings of the trainings without and
# with a quantiser. Rounding squashes the codeword, which the weights do not expect: it is trained with 8 bits first (SQUASHED). What is
# trained already is not trained again, and what was interrupted goes on.
set -eu
: "${THROUGH:=samples=20000 epochs=6 learning_rate=5e-4 schedule.type=exponential schedule.factor=0.6 schedule.interval=1}"
mkdir -p "$1"
: "${SQUASHED:=samples=20000 epochs=5 learning_rate=1e-3 schedule.warm_up=0}"
output=$(cd "$1" && pwd)
shift
scenario=$(dirname "$0")/quantisation.yaml
sets=
for pair in "$@"; do sets="$sets --set $pair"; done
settings() { for pair in "$@"; do printf ' --set training.%s' "$pair"; done; }

# The keys of a method below 'training'.
keys() {
  case $1 in
    proposed) echo "quantizer.type=codebooks" ;;
    var1) echo "quantizer.type=codebooks quantizer.adaptive=false quantizer.reallocate=false" ;;
    var2) echo "quantizer.type=codebooks loss=squared_norm" ;;
    lloyd) echo "quantizer.type=lloyd loss=mse" ;;
    lloyd_log) echo "quantizer.type=lloyd" ;;
    round) echo "quantizer.type=round loss=mse" ;;
    vector) echo "quantizer.type=vector quantizer.length=2 loss=mse" ;;
    *) echo "no method $1" >&2; exit 2 ;;
  esac
}

# shellcheck disable=SC2046,SC2086
csilink train "$scenario" --output "$output" $sets $(settings ${REAL:-})
mv "$output/training.csv" "$output/training-real.csv"

# through LABEL METHOD BITS START SETTINGS
through() {
  label=$1 method=$2 bits=$3 start=$4
  shift 4
  # shellcheck disable=SC2046,SC2086
  csilink train "$scenario" --output "$output" $sets $(settings "$@" $(keys "$method")) \
    --set training.start="[$start]" --set training.quantizer.bits="$bits" --set training.label="$label"
  mv "$output/training.csv" "$output/training-$label.csv"
}

# Weights that expect a squashed codeword, in a folder of their own.
squash() {
  # shellcheck disable=SC2046,SC2086
  csilink train "$scenario" --output "$output/squashed" $sets $(settings $SQUASHED $(keys round)) \
    --set training.start="[$output]" --set training.quantizer.bits=8
}

labels=
for bits in ${BITS:-2 3 4}; do
  for method in ${METHODS:-proposed var1 var2 lloyd lloyd_log round vector}; do
    start=$output
    if [ "$method" = round ]; then
      start=$output/squashed
      squash
    fi
    # shellcheck disable=SC2086
    through "$method$bits" "$method" "$bits" "$start" $THROUGH
    labels="$labels${labels:+,}$method$bits"
  done
done
for coder in fixed_width range; do
  # shellcheck disable=SC2086
  csilink run "$scenario" --output "$output/networks-$coder" $sets --set codec.weights="$output" \
    --set quantizer=trained --set "sweep.codec.label=[$labels]" --set coder=$coder
  # shellcheck disable=SC2086
  csilink run "$scenario" --output "$output/pca-$coder" $sets --set 'link.codec={type: pca, fit: {drops: 10000}}' \
    --set 'link.quantizer={type: kmeans, allocation: swap, fit: {drops: 10000}}' \
    --set "sweep.quantizer.bits=[$(echo ${BITS:-2 3 4} | tr ' ' ',')]" --set coder=$coder
done
