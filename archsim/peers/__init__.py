"""What other tools would answer for the same run, defects included; nothing of the core imports it."""
