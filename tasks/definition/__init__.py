"""What a task is once it is declared: its function, its names, its options."""
