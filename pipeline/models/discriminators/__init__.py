"""From a colored photograph to scores of how real its parts look."""
