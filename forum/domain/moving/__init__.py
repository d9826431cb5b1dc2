"""Moving whole stores: copying one into another, importing from the older program."""
