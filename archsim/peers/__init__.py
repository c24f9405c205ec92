"""What other tools would answer for the same run, formula for formula, defects included; nothing of the core imports it."""
