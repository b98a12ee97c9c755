"""The forms of settings: what each may be, and what it then means."""
