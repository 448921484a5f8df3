"""Things to put into scenes: meshes, and the motions of those that move."""
