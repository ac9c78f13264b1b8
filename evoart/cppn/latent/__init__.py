"""Networks whose latent numbers mean something: the decoder of a variational autoencoder (VAE) of small pictures.

D. Ha, "Generating Large Images from Latent Vectors" (2016): trained at a few dozen pixels, drawn at any size, for the
decoder is a network of coordinates.
"""
