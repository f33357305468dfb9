/** The autoencoder between pictures and latents; diffusers' {@code AutoencoderKL}. */
package io.github.kolors4j.vae;
