"""Words for Claude, each file in four sections, reviewed like code."""
