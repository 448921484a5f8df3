"""vsscli: video semantic segmentation from a folder of videos to a score and a submission archive."""

__version__ = "0.1.0"
