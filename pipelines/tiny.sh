#!/usr/bin/env bash
# The tiny models from nothing: a generated world, the stages of DVIS++ one after the other, tracker and refiner with and
# without Masked Video Consistency, MPVSS of the same segmenter, and scores on a world never seen.
# The same call continues what was interrupted. vsscli must be on the PATH; MORE is given to each training.
#
#   bash pipelines/tiny.sh                                        # models, worlds and runs go below ./tiny
#   mkdir seed1; cd seed1; SEED=1 bash ../pipelines/tiny.sh       # other weights to begin with, other clips, same worlds
#
# The table over seeds, in a checkout: python -m tests.experiments.seeds tiny seed1/tiny seed2/tiny
#
# A model goes into the box, as tiny-2, by
#   python -m vsscli.models.box.pack tiny/models/tiny-offline --name tiny-2 --world tiny/world --unseen tiny/unseen \
#       --score tiny/runs/offline.json      # for MPVSS: --score tiny/runs/mpvss-5.json --key-interval 5
set -euo pipefail
configs=$(cd "$(dirname "$0")" && pwd)/configs/tiny
mkdir -p tiny/models tiny/runs
cd tiny

places=coast,river,lake,winter
vsscli data synth world --places $places --seed 1 --train "${TRAIN:-960}" --val 12 --test 0 --frames 8 --size 640x360
vsscli data synth unseen --places $places --seed 900 --train 0 --val "${UNSEEN:-12}" --test 0 --frames 20 --size 854x480

train() {
    vsscli train "$configs/$1.yaml" --data world --out "models/tiny-$2" --set "seed=${SEED:-0}" ${MORE:-}
}
train segmenter segmenter
train details details
train details-again details-again
train identities identities
for mvc in "" -mvc; do
    train "tracker$mvc" "online$mvc"
    train "refiner$mvc" "offline$mvc"
done
train mpvss mpvss

scored() { # NAME MODEL OPTIONS...
    vsscli infer unseen --model "models/tiny-$2" --out "runs/$1" "${@:3}"
    vsscli score "runs/$1" --data unseen --json "runs/$1.json"
}
for model in identities online offline online-mvc offline-mvc; do scored $model $model; done

# Views, and the choice between the models with and without Masked Video Consistency.
for model in offline offline-mvc; do scored $model-views $model --scales 0.9,1.0,1.1,1.2 --flip; done
vsscli ensemble runs/offline-views runs/offline-mvc-views --method flow-ssim --data unseen --out runs/selected
vsscli score runs/selected --data unseen --json runs/selected.json

# Key frames: MPVSS, and its segmenter carried on by classical flow or copied.
for interval in 1 2 5 10; do scored mpvss-$interval mpvss --key-interval $interval; done
for interval in 2 5 10; do
    for way in farneback zero; do scored $way-$interval identities --key-interval $interval --propagate $way; done
done
