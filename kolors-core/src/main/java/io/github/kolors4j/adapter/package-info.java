/**
 * Adapters: small files of weights that change what the U-Net and the text encoder have learnt,
 * above all LoRA. {@link io.github.kolors4j.adapter.Adapter} reads a file of any dialect, {@link
 * io.github.kolors4j.adapter.Adapters} says which are used and how strongly.
 *
 * <p>Nothing here touches a layer: an adapter gives the layers other weights, whose rows are those
 * of the checkpoint plus an update that is computed while they are read.
 */
@NullMarked
package io.github.kolors4j.adapter;

import org.jspecify.annotations.NullMarked;
