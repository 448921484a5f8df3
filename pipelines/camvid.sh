#!/usr/bin/env bash
# A small DVIS++ model on real driving video: CamVid with VSPW's class numbers, in VSPW's layout. It starts from the tiny
# model's first stage (pipelines/tiny.sh), which has seen generated videos only. Segmenter, tracker and refiner, the
# last two with and without Masked Video Consistency; scores on the split val, which no step looks at.
# The same call continues what was interrupted. vsscli must be on the PATH; MORE is given to each training.
#
#   bash pipelines/camvid.sh CAMVID tiny/models/tiny-segmenter     # models and runs go below ./camvid
set -euo pipefail
configs=$(cd "$(dirname "$0")" && pwd)/configs/tiny
data=$(realpath "$1")
start=$(realpath "$2")
mkdir -p camvid/models camvid/runs
cd camvid

train() {
    vsscli train "$configs/$1.yaml" --data "$data" --out "models/$2" --set "init=$3" --set validation.split=null "${@:4}" ${MORE:-}
}
mvc='mvc={patch: 36, ratio: 0.5}'
train identities segmenter "$start" --set "steps=${STEPS:-1500}" --set optimizer.lr=8.0e-4 --set "seed=${SEED:-0}"
train tracker online models/segmenter
train refiner offline models/online
train tracker online-mvc models/segmenter --set "$mvc"
train refiner offline-mvc models/online-mvc --set "$mvc"

for model in segmenter online offline online-mvc offline-mvc; do
    vsscli infer "$data" --model "models/$model" --out "runs/$model"
    vsscli score "runs/$model" --data "$data" --json "runs/$model.json"
done
# Views, and the choice between the models with and without MVC.
for model in offline offline-mvc; do
    vsscli infer "$data" --model "models/$model" --scales 0.9,1.0,1.1,1.2 --flip --out "runs/$model-views"
    vsscli score "runs/$model-views" --data "$data" --json "runs/$model-views.json"
done
vsscli ensemble runs/offline-views runs/offline-mvc-views --method flow-ssim --data "$data" --out runs/selected
vsscli score runs/selected --data "$data" --json runs/selected.json
