"""The vectorised twin of up to a million nodes."""
