"""The driving side: HTTP with Falcon and marshmallow; no database."""
