"""A recipe as small as can be: two runs of the test double, merged, scored and packed."""

from pathlib import Path

RECIPE = """\
about: for the tests
set:
  data:
  out:
  noise: 0.2
steps:
  a: {infer: $data, model: "oracle:noise=$noise", workers: 1, out: $out/a}
  b: {infer: $data, model: "oracle:noise=0.1", seed: 1, workers: 1, out: $out/b}
  both: {ensemble: [$a, $b], workers: 1, out: $out/both}
  score:
    if: masks
    score: $both
    data: $data
    workers: 1
    json: $out/score.json
  archive: {submit: $both, data: $data, split: val, workers: 1, out: $out/out.zip}
"""


def write_recipe(path: Path, text: str = RECIPE) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
