"""The generated world: videos of a small low-poly planet with exact masks, in VSPW's layout or in memory.

A scene is built from the seed (`places`, `props`), each frame is rasterised with a depth test (`raster`, `shade`), and
a pixel's class is that of the brush that painted it. `render_video` gives frames in memory, `write_world` a dataset.
"""

from vsscli.data.world.plan import Job, Plan
from vsscli.data.world.video import VERSION, place_name, render_video, video_index, video_name
from vsscli.data.world.write import VideoRecord, World, make_video, write_world

__all__ = [
    "VERSION",
    "Job",
    "Plan",
    "VideoRecord",
    "World",
    "make_video",
    "place_name",
    "render_video",
    "video_index",
    "video_name",
    "write_world",
]
