/** The denoising U-Net; diffusers' {@code UNet2DConditionModel} with the blocks of SDXL. */
@NullMarked
package io.github.kolors4j.unet;

import org.jspecify.annotations.NullMarked;
