package io.github.kolors4j.components;

import io.github.kolors4j.vae.AutoencoderTiny;

/**
 * A tiny autoencoder beside the VAE, for previews.
 *
 * @param model the autoencoder
 * @param replacesVae whether it encodes and decodes the pictures themselves, too
 */
public record TinyVae(AutoencoderTiny model, boolean replacesVae) {}
