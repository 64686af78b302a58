"""Writes a design as a folder."""
