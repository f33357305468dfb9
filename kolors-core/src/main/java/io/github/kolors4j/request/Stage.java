package io.github.kolors4j.request;

/** A part of the work of a request. */
public enum Stage {
  /** Encoding of the prompts. */
  TEXT,
  /** The denoising loop. */
  DENOISE,
  /** From latents to a picture. */
  DECODE
}
