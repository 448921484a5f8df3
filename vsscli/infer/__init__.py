"""From frames to label maps: sizes, views, the semantic map."""
