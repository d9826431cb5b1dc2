"""Moving whole stores: copying one into another, importing from the program that this one replaces."""
