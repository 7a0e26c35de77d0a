"""What a person is shown, and what a machine reads: output, progress, the timeline, Markdown."""
