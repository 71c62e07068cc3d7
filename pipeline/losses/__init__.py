"""Loss terms, each a function `(output, batch) -> scalar`; `settings.registries.LOSSES` lists them."""
