"""Objects: masks found in the grey photograph, and colours that are made to stop at their edges (SPEC section 7)."""
