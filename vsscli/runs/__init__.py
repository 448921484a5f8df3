"""The run folder: label maps on disk, manifests, records, digests, atomic writes."""
