"""One module for each noun, one responder for each documented route."""
