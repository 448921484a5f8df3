"""What a dataset is: class tables, folders as found in the wild, video files, the generated world."""
