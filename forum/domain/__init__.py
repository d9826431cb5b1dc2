"""The forum itself: its rules and the ports it needs. Standard library only, no I/O, no HTTP."""
