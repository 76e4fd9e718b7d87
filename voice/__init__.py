"""Everything that hears and speaks. What is said about a condition is in a pack, never here."""
