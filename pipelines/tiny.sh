#!/usr/bin/env bash
# The tiny DVIS++ model from nothing: a generated world, the stages one after the other, scores on a world never seen;
# and the tiny MPVSS model of the same segmenter.
# The same call continues what was interrupted. vsscli must be on the PATH; MORE is given to each training.
#
#   bash pipelines/tiny.sh            # models, worlds and runs go below ./tiny
#   MVC=-mvc bash pipelines/tiny.sh   # tracker and refiner with Masked Video Consistency
#   python -m vsscli.models.box.pack tiny/models/tiny-offline --name tiny-1 --world tiny/world --unseen tiny/unseen \
#       --score tiny/runs/offline.json   # puts it into the box
set -euo pipefail
configs=$(cd "$(dirname "$0")" && pwd)/configs/tiny
mvc=${MVC:-}
mkdir -p tiny/models tiny/runs
cd tiny

places=coast,river,lake,winter
vsscli data synth world --places $places --seed "${SEED:-1}" --train "${TRAIN:-240}" --val 12 --test 0 --frames 8 --size 640x360
vsscli data synth unseen --places $places --seed 900 --train 0 --val "${UNSEEN:-12}" --test 0 --frames 20 --size 854x480

train() { vsscli train "$configs/$1.yaml" --data world --out "models/tiny-$2" ${MORE:-}; }
train segmenter segmenter
train identities identities
train "tracker$mvc" "online$mvc"
train "refiner$mvc" "offline$mvc"
train mpvss mpvss

for model in identities "online$mvc" "offline$mvc"; do
    vsscli infer unseen --model "models/tiny-$model" --out "runs/$model"
    vsscli score "runs/$model" --data unseen --json "runs/$model.json"
done

# Key frames: MPVSS, and its segmenter carried on by classical flow or copied.
keyed() {
    vsscli infer unseen --model "models/tiny-$1" --out "runs/$2" --key-interval "$3" "${@:4}"
    vsscli score "runs/$2" --data unseen
}
for interval in 1 2 5 10; do keyed mpvss "mpvss-$interval" "$interval"; done
keyed identities segmenter-1 1
for interval in 2 5 10; do
    for way in farneback zero; do keyed identities "$way-$interval" "$interval" --propagate "$way"; done
done
