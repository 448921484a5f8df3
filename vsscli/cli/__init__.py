"""The command line: one file per verb, options in, sentences out."""
