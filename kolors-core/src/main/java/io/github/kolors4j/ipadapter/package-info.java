/** Image prompts: IP-Adapter-Plus and IP-Adapter-FaceID-Plus. */
@NullMarked
package io.github.kolors4j.ipadapter;

import org.jspecify.annotations.NullMarked;
