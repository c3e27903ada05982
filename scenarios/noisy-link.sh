#!/bin/sh
# Trains the networks of scenarios/noisy-link.yaml, then compares them over the SNR of the feedback link in one run:
#   scenarios/noisy-link.sh OUTPUT [KEY=VALUE ...]
# KEY=VALUE goes to --set of trainings and run, such as training.samples=2000 training.epochs=4 run.drops=100 for a trial. In the
# environment: NETWORK (csinet), SNR of the noise in training (10 dB). What is trained already is not trained again.
set -eu
mkdir -p "$1/data"
output=$(cd "$1" && pwd)
shift
scenario=$(dirname "$0")/noisy-link.yaml
sets=
for pair in "$@"; do sets="$sets --set $pair"; done
network=${NETWORK:-csinet}
noise="--set training.codeword_snr_db=${SNR:-10}"
start="--set training.start=[$output/clean]"
codecs=

# train NAME NETWORK [ARGUMENT ...]
train() {
  name=$1 chosen=$2
  shift 2
  mkdir -p "$output/$name"
  [ -e "$output/$name/data" ] || ln -s ../data "$output/$name/data"
  # shellcheck disable=SC2086
  csilink train "$scenario" --output "$output/$name" $sets --set "sweep.codec=[{network: '$chosen'}]" "$@"
  codecs="$codecs${codecs:+, }{label: $name, network: '$chosen', weights: $output/$name}"
}

train clean "$network"
# A folder stands for the files of the same network: the denoiser's base is another.
clean=$(ls "$output"/clean/*-encoder.safetensors)
clean=${clean%-encoder.safetensors}
# shellcheck disable=SC2086
train tuned "$network" $noise $start
# shellcheck disable=SC2086
train denoised "dnnet {base: $network}" $noise --set "training.start=[$clean-encoder.safetensors,$clean-decoder.safetensors]" \
  --set "training.method={type: two_stage, frozen: ['!denoiser']}"
# shellcheck disable=SC2086
csilink run "$scenario" --output "$output/comparison" $sets --set "sweep.codec=[$codecs]"
