"""A run: what its units say, and the line that shows it; on the control machine alone."""
