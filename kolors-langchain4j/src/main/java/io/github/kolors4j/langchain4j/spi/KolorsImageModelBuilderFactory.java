package io.github.kolors4j.langchain4j.spi;

import io.github.kolors4j.langchain4j.KolorsImageModel.KolorsImageModelBuilder;
import java.util.function.Supplier;

/**
 * Gives {@code KolorsImageModel.builder()} its builder. The first one that is found by {@link
 * java.util.ServiceLoader} is asked; it may give a subclass.
 */
public interface KolorsImageModelBuilderFactory extends Supplier<KolorsImageModelBuilder> {}
