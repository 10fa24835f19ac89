"""What every part of CrowdGym may use: errors, files, compiled loops, layouts and seeds. Imports no other part."""
