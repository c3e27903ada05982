#!/bin/sh
# Trains the networks of scenarios/codeword-noise.yaml with noise on their codewords, then compares them over its SNR in one run:
#   scenarios/codeword-noise.sh OUTPUT [KEY=VALUE ...]
# KEY=VALUE goes to --set of trainings and run, such as training.samples=2000 training.epochs=4 run.drops=100 for a trial. CsiNet with
# a denoiser (DNNet) goes on from CsiNet: the denoiser alone, then all. CLLWCsiNet is also trained with 'noise_wiring: denoiser_only', where
# its reconstruction reads the codeword before the noise, as in its authors' code; no receiver has that, so it is tested by 'csilink train'
# at each SNR: OUTPUT/denoiser_only.csv. What is trained already is not trained again, and what was interrupted goes on.
set -eu
mkdir -p "$1"
output=$(cd "$1" && pwd)
shift
scenario=$(dirname "$0")/codeword-noise.yaml
sets=
for pair in "$@"; do sets="$sets --set $pair"; done

# train CODECS [ARGUMENT ...]
train() {
  codecs=$1
  shift
  # shellcheck disable=SC2086
  csilink train "$scenario" --output "$output" $sets --set "sweep.codec=$codecs" "$@"
}
only='cllwcsinet {noise_wiring: denoiser_only}'
train "[{network: csinet}, {network: crnet}, {network: acrnet-1x}]" --set training.initialization=principal_components
train "[{network: cllwcsinet}, {network: '$only'}]" --set training.learning_rate=8e-3    # drawn: it needs a third of the steps
train "[{network: 'dnnet {base: csinet}'}]" --set "training.start=[$output/csinet-8-encoder.safetensors, $output/csinet-8-decoder.safetensors]" \
  --set "training.method={type: two_stage, frozen: ['!denoiser']}"

# shellcheck disable=SC2086
csilink run "$scenario" --output "$output/comparison" $sets --set codec.weights="$output" --set "sweep.codec=[
  {network: cllwcsinet}, {network: csinet}, {network: crnet}, {network: acrnet-1x}, {network: 'dnnet {base: csinet}'}]"

# A step of no length keeps the weights, and the test has the SNR of the step.
echo "snr_db,test_nmse_db" >"$output/denoiser_only.csv"
for snr in -5 0 5 10 15 20 25 30 35 40; do
  folder=$output/denoiser_only/$snr high=$(echo "$snr" | awk '{ print $1 + 0.001 }')
  # shellcheck disable=SC2086
  csilink train "$scenario" --output "$folder" $sets --set "sweep.codec=[{network: '$only'}]" \
    --set "training.start=[$output]" --set "training.codeword_snr_range_db=[$snr,$high]" --set training.samples=20 \
    --set training.epochs=1 --set training.learning_rate=1e-30 --set training.schedule.type=constant
  sed 1d "$folder/training.csv" | awk -F, -v snr="$snr" '$1 !~ /^#/ && $1 != "network" { print snr "," $10 }' >>"$output/denoiser_only.csv"
done
