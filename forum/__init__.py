"""The backend of a simple forum: a hexagon on Falcon, served by gunicorn."""

__version__ = "0.9.0"
