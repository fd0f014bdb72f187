"""LatentSync 1.5 and 1.6: lips drawn by latent diffusion, window by window; everything it takes in this folder."""
