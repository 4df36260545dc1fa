"""Host side of ascnode: boards, sessions with them, the sky around them, and the record of a run."""
