#!/usr/bin/env bash
# From frames to a verified archive: every model under eight views, voted; then the models voted.
#
#   bash vote.sh DATA SPLIT OUT MODEL [MODEL ...]
#
# vsscli must be on the PATH. Models are told apart by the names of their folders. The same call continues what was
# interrupted. Scores are made where the split has masks (val); any split is packed, to see that it would be accepted.
set -euo pipefail
[ $# -ge 4 ] || { echo "usage: bash $0 DATA SPLIT OUT MODEL [MODEL ...]" >&2; exit 2; }
data=$1 split=$2 out=$3
shift 3

runs=()
for model in "$@"; do
    run="$out/$(basename "$model")"
    vsscli infer "$data" --split "$split" --model "$model" --scales 0.9,1.0,1.1,1.2 --flip --out "$run"
    runs+=("$run")
done
vsscli ensemble "${runs[@]}" --method vote --out "$out/voted"
if [ "$split" = val ]; then
    vsscli score "$out/voted" --data "$data" --split "$split" --json "$out/score.json"
fi
vsscli submit "$out/voted" --data "$data" --split "$split" --out "$out/submission.zip"
