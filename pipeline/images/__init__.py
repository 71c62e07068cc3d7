"""Any image file to sRGB uint8, and back."""
