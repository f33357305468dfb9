package io.github.kolors4j.request;

/** What a request asks for. */
public enum OutputType {
  /** Pictures. */
  IMAGE,
  /** The latents before they are divided by the VAE's scaling factor; no decoding takes place. */
  LATENT
}
