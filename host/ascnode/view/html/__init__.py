"""Pages that stand alone: HTML and plots that ask for nothing from anywhere."""
