"""Letters as outlines: read from fonts, learned by a model with one style vector a font, traced back to curves.

After R. G. Lopes, D. Ha, D. Eck, J. Shlens, "A Learned Representation for Scalable Vector Graphics" (2019).
"""
