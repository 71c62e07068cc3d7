"""From an encoder's features to scores of colours."""
