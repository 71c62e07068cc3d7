"""Networks: lightness in, scores of colors out; `settings.registries` lists them and their parts."""
