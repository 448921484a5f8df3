"""Video mask transformers, plain ViTs with queries that pass from frame to frame: VidEoMT, PMT and LVMT."""
