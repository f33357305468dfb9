/** The image encoder of CLIP; transformers' {@code CLIPVisionModelWithProjection}. */
@NullMarked
package io.github.kolors4j.clip;

import org.jspecify.annotations.NullMarked;
