"""From a photograph's L to its colours."""
