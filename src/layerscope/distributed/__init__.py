"""One run in several processes: who they are, how they join, and what they tell each other."""
