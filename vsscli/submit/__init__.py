"""Verify and pack a submission."""
