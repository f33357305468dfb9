/** Kolors as an image model of LangChain4j. */
@NullMarked
package io.github.kolors4j.langchain4j;

import org.jspecify.annotations.NullMarked;
