"""Recipes: chains of verbs in a YAML file, for ``vsscli run``."""
