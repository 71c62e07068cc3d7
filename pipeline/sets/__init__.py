"""Image sets: where each comes from, under what licence, and how it becomes a store (DESIGN section 3)."""
