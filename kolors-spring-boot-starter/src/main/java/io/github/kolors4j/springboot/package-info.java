/**
 * Auto-configuration of Kolors for Spring Boot: an image model for Spring AI, and its health, from
 * the properties {@code spring.ai.kolors.image.*}.
 */
@NullMarked
package io.github.kolors4j.springboot;

import org.jspecify.annotations.NullMarked;
