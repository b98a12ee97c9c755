"""What nobody asks for: looking before the start and all the time, and cleaning up."""
