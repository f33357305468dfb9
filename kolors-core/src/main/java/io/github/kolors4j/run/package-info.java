/**
 * The run of a request, in the order of diffusers' {@code KolorsPipeline.__call__}: {@link
 * io.github.kolors4j.run.RequestCheck check}, {@link io.github.kolors4j.run.RequestResolver
 * resolve}, {@link io.github.kolors4j.run.PromptEncoder encode} and {@link
 * io.github.kolors4j.run.ImagePromptEncoder encode images}, {@link
 * io.github.kolors4j.run.InitialLatents start}, {@link io.github.kolors4j.run.DenoisingLoop loop},
 * {@link io.github.kolors4j.run.Guider guide}, {@link io.github.kolors4j.run.LatentDecoder decode}.
 * {@link io.github.kolors4j.run.Generation} is the whole of it. Not exported.
 */
@NullMarked
package io.github.kolors4j.run;

import org.jspecify.annotations.NullMarked;
