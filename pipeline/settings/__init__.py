"""What params.yaml may say: typed, ranged, checked before anything runs."""
