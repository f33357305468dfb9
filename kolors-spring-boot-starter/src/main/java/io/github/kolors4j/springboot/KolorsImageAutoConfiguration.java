package io.github.kolors4j.springboot;

import io.github.kolors4j.springai.KolorsImageModel;
import io.micrometer.observation.ObservationRegistry;
import org.springframework.ai.image.observation.ImageModelObservationConvention;
import org.springframework.ai.model.SpringAIModelProperties;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/**
 * The image model of {@code spring.ai.kolors.image.*}. There is none where {@code
 * spring.ai.model.image} names another provider than {@code kolors}, or the application has one of
 * its own.
 */
@AutoConfiguration
@ConditionalOnClass(KolorsImageModel.class)
@ConditionalOnProperty(
    name = SpringAIModelProperties.IMAGE_MODEL,
    havingValue = KolorsImageModel.PROVIDER,
    matchIfMissing = true)
@EnableConfigurationProperties(KolorsImageProperties.class)
public class KolorsImageAutoConfiguration {
  /** For Spring. */
  public KolorsImageAutoConfiguration() {}

  /**
   * The model. The checkpoint is opened by the first call, and closed with the application.
   *
   * @param properties which checkpoint, and the defaults
   * @param observationRegistry where calls are observed, if there is one
   * @param observationConvention what an observation is called and says, if there is one
   * @return the image model
   */
  @Bean(destroyMethod = "close")
  @ConditionalOnMissingBean
  public KolorsImageModel kolorsImageModel(
      KolorsImageProperties properties,
      ObjectProvider<ObservationRegistry> observationRegistry,
      ObjectProvider<ImageModelObservationConvention> observationConvention) {
    properties.toPipeline(); // what is wrong with them is said now
    KolorsImageModel.Builder model =
        KolorsImageModel.builder()
            .options(properties.toOptions())
            .pipeline(() -> properties.toPipeline().open())
            .queueCapacity(properties.queueCapacity())
            .concurrency(properties.concurrency())
            .pictureMetadata(properties.pictureMetadata())
            .shutdownTimeout(properties.shutdownTimeout())
            .observationRegistry(observationRegistry.getIfUnique(() -> ObservationRegistry.NOOP));
    observationConvention.ifUnique(model::observationConvention);
    return model.build();
  }
}
