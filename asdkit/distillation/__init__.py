"""Teachers, and the objectives that make students agree with them."""
