/** The decoder from latents to pictures; diffusers' {@code AutoencoderKL}. */
package io.github.kolors4j.vae;
