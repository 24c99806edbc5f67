"""Teachers, and what a student is trained to have in common with them."""
