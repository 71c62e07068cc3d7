"""Numbers that several rooms agree on. Loads nothing."""

AB_SCALE = 128.0
"""Losses and regressions see ab over this, so that it has the size the default initialisation expects."""
LARGEST_AB = 110.0
"""What networks that bound ab by tanh reach at most, in CIELAB units (richzhang/colorization, pix2pix)."""
