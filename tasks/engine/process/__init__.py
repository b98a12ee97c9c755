"""What a process is made of: its threads, its children, its signals, its end."""
