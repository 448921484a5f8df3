#!/usr/bin/env bash
# A small DVIS++ model on real driving video: CamVid with VSPW's class numbers, in VSPW's layout, the split train. It
# starts from the first stage of the tiny model (pipelines/tiny.sh), which has seen generated videos only. Segmenter,
# tracker and refiner, the last two with and without Masked Video Consistency, and MPVSS; scores on the split val, which
# no step looks at. The same call continues what was interrupted. vsscli must be on the PATH; MORE is given to each
# training.
#
#   bash pipelines/camvid.sh CAMVID tiny/models/tiny-segmenter     # models and runs go below ./camvid
set -euo pipefail
if [ $# != 2 ] || [ ! -d "$1" ] || [ ! -f "$2/config.json" ]; then
    echo "usage: bash camvid.sh CAMVID MODEL   (two folders: the dataset, and a DVIS++ model to start from, as tiny's)" >&2
    exit 2
fi
configs=$(cd "$(dirname "$0")" && pwd)/configs/tiny
data=$(realpath "$1")
start=$(realpath "$2")
mkdir -p camvid/models camvid/runs
cd camvid

train() { # CONFIG MODEL INIT OPTIONS...
    vsscli train "$configs/$1.yaml" --data "$data" --out "models/$2" --set "init=$3" --set validation.split=null \
        --set "seed=${SEED:-0}" "${@:4}" ${MORE:-}
}
train details details "$start" --set steps=1500
train identities segmenter models/details
train tracker online models/segmenter
train refiner offline models/online
train tracker-mvc online-mvc models/segmenter
train refiner-mvc offline-mvc models/online-mvc
train mpvss mpvss models/segmenter --set steps=500

scored() { # NAME MODEL OPTIONS...
    vsscli infer "$data" --model "models/$2" --out "runs/$1" "${@:3}"
    vsscli score "runs/$1" --data "$data" --json "runs/$1.json"
}
for model in segmenter online offline online-mvc offline-mvc; do scored $model $model; done

# Views, and the choice between the models with and without Masked Video Consistency.
for model in offline offline-mvc; do scored $model-views $model --scales 0.9,1.0,1.1,1.2 --flip; done
vsscli ensemble runs/offline-views runs/offline-mvc-views --method flow-ssim --data "$data" --out runs/selected
vsscli score runs/selected --data "$data" --json runs/selected.json

# Key frames: MPVSS, and its segmenter carried on by classical flow or copied.
for interval in 1 2 5 10; do scored mpvss-$interval mpvss --key-interval $interval; done
for interval in 2 5 10; do
    for way in farneback zero; do scored $way-$interval segmenter --key-interval $interval --propagate $way; done
done
