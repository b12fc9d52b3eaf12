"""What is true: metric trees, goals, sensitivities and focus as pure functions of frozen data."""
