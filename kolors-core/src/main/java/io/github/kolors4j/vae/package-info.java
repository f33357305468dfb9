/** The autoencoder between pictures and latents; diffusers' {@code AutoencoderKL}. */
@NullMarked
package io.github.kolors4j.vae;

import org.jspecify.annotations.NullMarked;
