"""What several commands share: options, checks, output, progress, endings. Not a command."""
