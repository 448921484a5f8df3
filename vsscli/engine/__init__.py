"""The only loop over videos: what is left to do, shards, workers, progress, failures.

Two doors: `map` for those who only read, `produce` for those who write a run.
"""

from vsscli.engine.cluster import Cluster, find_cluster
from vsscli.engine.mapping import map_items as map
from vsscli.engine.pool import cores
from vsscli.engine.produce import Outcome, plan, produce
from vsscli.engine.select import select_videos
from vsscli.engine.stage import Frame, Input, Stage

__all__ = [
    "Cluster",
    "Frame",
    "Input",
    "Outcome",
    "Stage",
    "cores",
    "find_cluster",
    "map",
    "plan",
    "produce",
    "select_videos",
]
