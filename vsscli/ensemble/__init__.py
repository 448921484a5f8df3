"""Many runs in, one run out."""
