"""journal → index."""
