/** The denoising U-Net; diffusers' {@code UNet2DConditionModel} with the blocks of SDXL. */
package io.github.kolors4j.unet;
