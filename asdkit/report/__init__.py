"""What people read: tables of results and of agreement."""
