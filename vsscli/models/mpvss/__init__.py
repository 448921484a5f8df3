"""MPVSS: masks of key frames, carried to the frames between by a flow of their own (Weng et al. 2023)."""
