"""A store that forgets: for tests, demonstrations and front-end work."""
