/** For frameworks that put models together in their own way. */
@NullMarked
package io.github.kolors4j.langchain4j.spi;

import org.jspecify.annotations.NullMarked;
