"""What is asked of GitHub."""
