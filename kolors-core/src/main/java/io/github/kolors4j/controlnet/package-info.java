/** ControlNets: networks that lead a U-Net by a picture of edges, of depth or of a pose. */
@NullMarked
package io.github.kolors4j.controlnet;

import org.jspecify.annotations.NullMarked;
