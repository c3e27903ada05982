#!/bin/sh
# Training speed of each method beside the plain one, on one thread: samples/s from the times of two lengths, and the ratio.
#   Benchmarks/training_methods.sh [SAMPLES [EPOCHS]]
# CsiNet at 1/16 on the public data set's grid; the distillations train kd-crnet-se with the teacher kd-crnet, beside their own plain training.
# Plain trainings come first and last, so that the machine's drift is seen. Needs csilink on the search path.
set -eu
samples=${1:-4000} epochs=${2:-4}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
scenario=$work/methods.yaml
cat > "$scenario" <<YAML
link: {preset: csinet, estimator: perfect, codec: {network: csinet, compression: 16}, precoder: {type: mrt, snr_db: 10}}
training: {samples: $samples, validation_samples: 200, test_samples: 200, epochs: $epochs, batch: 50, learning_rate: 1e-3}
run: {seed: 1, drops: 10}
YAML

plain=
now() { date +%s.%N; }

# train NAME EPOCHS [ARGUMENT ...]: its time in seconds; data are drawn once for all.
train() {
  folder=$work/$1 length=$2
  shift 2
  mkdir -p "$folder" "$work/data"
  [ -e "$folder/data" ] || ln -s ../data "$folder/data"
  began=$(now)
  csilink train "$scenario" --quiet --threads 1 --output "$folder" --set training.epochs="$length" "$@" \
    > /dev/null 2> "$folder/log" || { cat "$folder/log" >&2; exit 1; }
  echo "$(now) $began" | awk '{ print $1 - $2 }'
}

# measure NAME [KEY=VALUE ...]
measure() {
  name=$1
  shift
  sets=
  for pair in "$@"; do sets="$sets --set $pair"; done
  # shellcheck disable=SC2086
  train "$name-drawing" 2 $sets > /dev/null
  # shellcheck disable=SC2086
  short=$(train "$name-short" "$epochs" $sets)
  # shellcheck disable=SC2086
  long=$(train "$name" $((3 * epochs)) $sets)
  speed=$(awk -v a="$short" -v b="$long" -v n="$((2 * epochs * samples))" 'BEGIN { printf "%.0f", n / (b - a) }')
  : "${plain:=$speed}"
  awk -v n="$name" -v s="$speed" -v p="$plain" 'BEGIN { printf "%-28s %6d samples/s  %5.2f of plain\n", n, s, s / p }'
}

measure plain
measure fresh training.data=fresh
measure fresh_estimates training.data=fresh link.estimator=ls link.pilots.snr_db=10 training.source=estimate
measure codeword_noise training.codeword_snr_db=10
measure log_mse training.loss=log_mse
measure codebooks training.quantizer.type=codebooks training.quantizer.bits=3
measure lloyd training.quantizer.type=lloyd training.quantizer.bits=3
measure round training.quantizer.type=round training.quantizer.bits=3
measure vector training.quantizer.type=vector training.quantizer.length=2 training.quantizer.bits=3
measure link training.link=true link.quantizer.type=uniform link.quantizer.bits=4
measure denoiser_in_two_stages 'codec.network=dnnet{base:csinet}' training.method.type=two_stage 'training.method.frozen=[encoder]'
measure plain_again
plain=
measure student codec.network=kd-crnet-se
measure teacher codec.network=kd-crnet
teacher="training.method.teacher.network=kd-crnet training.method.teacher.weights=$work/teacher"
# shellcheck disable=SC2086
measure distillation codec.network=kd-crnet-se training.method.type=distillation $teacher
# shellcheck disable=SC2086
measure encoder_distillation codec.network=kd-crnet-se training.method.type=encoder_distillation $teacher
measure sequential codec.network=kd-crnet-se training.method.type=sequential "training.method.teacher.weights=$work/student"
measure student_again codec.network=kd-crnet-se
