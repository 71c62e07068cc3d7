"""`python -m pipeline`, the same as `huebench`: what torchrun starts."""

from pipeline.cli import main

main()
