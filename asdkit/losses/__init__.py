"""What training minimizes: classification over speakers, and distances among them."""
