"""From lightness to features at several strides."""
