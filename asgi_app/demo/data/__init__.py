"""What the demo works on: a catalogue and a story."""
