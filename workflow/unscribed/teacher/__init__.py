"""The teacher: a frame classifier learned from the unpaired text as eSpeak NG speaks it, for speech of people."""
