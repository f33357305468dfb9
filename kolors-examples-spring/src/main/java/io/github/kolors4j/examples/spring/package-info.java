/** An application of Spring Boot that answers with pictures. */
@NullMarked
package io.github.kolors4j.examples.spring;

import org.jspecify.annotations.NullMarked;
