"""Pure functions on arrays: no paths, no options, no dataset's numbering."""
