"""The driven side: each module knows one library, none knows HTTP."""
