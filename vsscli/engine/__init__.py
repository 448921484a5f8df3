"""The only loop over videos: what is left to do, shards, workers, progress, failures.

Two doors: `map` for those who only read, `produce` for those who write a run.
"""

from vsscli.engine.pool import cores
from vsscli.engine.pool import map_items as map
from vsscli.engine.produce import Outcome, plan, produce
from vsscli.engine.select import select_videos
from vsscli.engine.stage import Frame, Input, Stage

__all__ = ["Frame", "Input", "Outcome", "Stage", "cores", "map", "plan", "produce", "select_videos"]
