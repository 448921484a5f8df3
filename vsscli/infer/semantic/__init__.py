"""From a network's output of one frame to its label map: exact, in little memory, on any device.

The map is defined by real-number arithmetic: resize, sum over the queries, take the best class. Three things make it
fast without changing a single label:

- Tiles (``tiles``). On a tile of the frame every resized value lies between the smallest and the largest value the
  tile reads, which bounds every class's score; where one class is left, nothing is resized at all.
- Single precision with a margin (``scores``). Where the best class leads by more than the rounding error can explain
  the label is certain. The few other pixels are settled in double precision (``exact``), ties by the smallest channel.
- Row strips (``paint``) in reused buffers: no array of classes (or queries) times pixels exists at full size.

Hence the label map depends neither on the pruning nor on the strips: it is that of a float64 evaluation.
"""

from vsscli.infer.semantic.label_map import label_map_from_logits, label_map_from_queries

__all__ = ["label_map_from_logits", "label_map_from_queries"]
