package io.github.kolors4j.request;

/** How a picture that is not finished is shown. */
public enum PreviewMethod {
  /** A weighted sum of the latents' channels: a pixel a latent cell, at no cost. */
  LATENT_COLOURS,
  /** A tiny autoencoder: the whole size, with a ninth of the VAE's multiply-adds. */
  TINY_VAE,
  /** The VAE: the whole size, as costly as the decoding of the finished picture. */
  VAE
}
