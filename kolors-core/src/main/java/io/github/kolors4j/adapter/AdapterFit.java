package io.github.kolors4j.adapter;

import java.util.List;

/**
 * What of an adapter's file a pipeline can use.
 *
 * @param adapter the adapter
 * @param unetModules how many modules of the U-Net it updates
 * @param textEncoderModules how many modules of the text encoder it updates
 * @param unused modules and tensors of the file that neither model has, or that are of no kind that
 *     is read, by the file's names: those of SDXL's text encoders, for example, or PEFT's biases
 */
public record AdapterFit(
    Adapter adapter, int unetModules, int textEncoderModules, List<String> unused) {}
