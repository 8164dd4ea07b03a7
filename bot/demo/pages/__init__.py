"""What the small web shows; `made.py` builds what cannot be written down as a file."""
