#!/bin/sh
# Trains a teacher and students of every method of scenarios/distillation.yaml, then compares them in one run on the same drops:
#   scenarios/distillation.sh OUTPUT [KEY=VALUE ...]
# KEY=VALUE goes to --set of trainings and run, such as training.samples=2000 training.epochs=4 run.drops=100 for a trial. In the
# environment: SEEDS (1), RATIOS (16 32), TEACHER and STUDENT (kd-crnet and kd-crnet-se), BITS of the exchanged codewords (none: single
# precision) and METHODS: vanilla, distillation or distillation:ALPHA:T, encoder_distillation, variant, sequential. OUTPUT/times.txt gets the
# seconds of each training. What is trained already is not trained again, and what was interrupted goes on.
set -eu
mkdir -p "$1/data"
output=$(cd "$1" && pwd)
shift
scenario=$(dirname "$0")/distillation.yaml
sets=" --set channel.environment_seed=1"    # one cell for all seeds
for pair in "$@"; do sets="$sets --set $pair"; done
teacher=${TEACHER:-kd-crnet}
student=${STUDENT:-kd-crnet-se}
ratios=${RATIOS:-16 32}
list=$(echo "$ratios" | tr ' ' ,)
codecs=

# train NAME NETWORK SEED RATIOS [KEY=VALUE ...]: the weights are in OUTPUT/NAME; all share the drawn samples. (Names in functions are
# those of the whole program.)
train() {
  into=$1 trained=$2 drawn=$3 chosen="--set sweep.codec.compression=[$4]"
  shift 4
  mkdir -p "$output/$into"
  [ -e "$output/$into/data" ] || ln -s ../data "$output/$into/data"
  began=$(date +%s)
  # shellcheck disable=SC2086
  csilink train "$scenario" --output "$output/$into" $sets $chosen --set codec.network="$trained" \
    --set run.seed="$drawn" "$@"
  echo "$into [$chosen] $(($(date +%s) - began)) s" >>"$output/times.txt"
}

# pairs NAME NETWORK SEED RATIO FILE: what one side gives to the other.
pairs() {
  # shellcheck disable=SC2086
  csilink pairs "$scenario" --output "$output/$1" $sets --set codec.network="$2" --set codec.weights="$output/$1" \
    --set run.seed="$3" --set "sweep.codec.compression=[$4]" --file "$5" ${BITS:+--bits "$BITS"}
}

# add LABEL NETWORK FOLDER: a row of the comparison.
add() { codecs="$codecs${codecs:+, }{label: $1, network: $2, weights: $output/$3}"; }

for seed in ${SEEDS:-1}; do
  large=teacher_$seed
  train "$large" "$teacher" "$seed" "$list"
  add "$large" "$teacher" "$large"
  for method in ${METHODS:-vanilla distillation encoder_distillation variant sequential}; do
    name=$(echo "$method" | tr : -)_$seed
    from="teacher: {network: $teacher, weights: $output/$large}"
    case $method in
      vanilla) train "$name" "$student" "$seed" "$list" ;;
      distillation) train "$name" "$student" "$seed" "$list" --set "training.method={type: distillation, $from}" ;;
      distillation:*:*)
        share=$(echo "$method" | cut -d: -f2) temperature=$(echo "$method" | cut -d: -f3)
        train "$name" "$student" "$seed" "$list" \
          --set "training.method={type: distillation, alpha: $share, temperature: $temperature, $from}" ;;
      encoder_distillation)
        train "$name" "$student" "$seed" "$list" --set "training.method={type: encoder_distillation, $from}" ;;
      variant)
        # The BS gives CSI and codewords of its teacher, the UE fits the encoder that it trained alone and gives its own, the BS tunes its
        # decoder.
        train "vanilla_$seed" "$student" "$seed" "$list"
        for ratio in $ratios; do
          pairs "$large" "$teacher" "$seed" "$ratio" "$output/bs-$ratio-$seed.safetensors"
          train "$name" "$student" "$seed" "$ratio" \
            --set "training.method={type: encoder_from_pairs, pairs: $output/bs-$ratio-$seed.safetensors}" \
            --set "training.start=[$output/vanilla_$seed/$student-$ratio-encoder.safetensors]" \
            --set training.initialization=drawn
          pairs "$name" "$student" "$seed" "$ratio" "$output/ue-$ratio-$seed.safetensors"
          train "$name" "$student" "$seed" "$ratio" \
            --set "training.method={type: decoder_from_pairs, pairs: $output/ue-$ratio-$seed.safetensors}" \
            --set "training.start=[$output/$large/$teacher-$ratio-decoder.safetensors]" \
            --set training.initialization=drawn
        done ;;
      sequential)
        # The BS has an autoencoder with the student's encoder; the UE's encoder starts from drawn weights, because components of its own would
        # not be those of the decoder.
        train "vanilla_$seed" "$student" "$seed" "$list"
        train "$name" "$student" "$seed" "$list" \
          --set "training.method={type: sequential, teacher: {weights: $output/vanilla_$seed}}" \
          --set training.initialization=drawn ;;
      *) echo "no method $method" >&2; exit 2 ;;
    esac
    add "$name" "$student" "$name"
  done
done
# shellcheck disable=SC2086
csilink run "$scenario" --output "$output/comparison" $sets --set "sweep.codec=[$codecs]" \
  --set "sweep.codec.compression=[$list]"
