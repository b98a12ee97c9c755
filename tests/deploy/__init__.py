"""What ``deploy/`` ships, run for real as far as this machine can, and checked where not."""
