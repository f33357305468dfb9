package app;

import io.github.kolors4j.langchain4j.KolorsImageModel;
import io.github.kolors4j.langchain4j.KolorsImageModel.KolorsImageModelBuilder;
import io.github.kolors4j.langchain4j.spi.KolorsImageModelBuilderFactory;

/** A framework that puts models together in its own way. */
public class Framework implements KolorsImageModelBuilderFactory {
  @Override
  public KolorsImageModelBuilder get() {
    return new KolorsImageModelBuilder() {
      @Override
      public KolorsImageModel build() {
        System.out.println("built by the framework");
        return super.build();
      }
    };
  }
}
