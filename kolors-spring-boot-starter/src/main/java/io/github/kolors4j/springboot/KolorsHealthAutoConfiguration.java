package io.github.kolors4j.springboot;

import io.github.kolors4j.springai.KolorsImageModel;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/**
 * The health of the image model, where the application has Spring Boot's health: {@code kolors} in
 * {@code /actuator/health}. {@code management.health.kolors.enabled=false} leaves it out.
 */
@AutoConfiguration(after = KolorsImageAutoConfiguration.class)
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnSingleCandidate(KolorsImageModel.class)
@ConditionalOnEnabledHealthIndicator("kolors")
public class KolorsHealthAutoConfiguration {
  /** For Spring. */
  public KolorsHealthAutoConfiguration() {}

  /**
   * The health indicator.
   *
   * @param model that it looks at
   * @return the indicator, which opens nothing
   */
  @Bean
  @ConditionalOnMissingBean(name = "kolorsHealthIndicator")
  public HealthIndicator kolorsHealthIndicator(KolorsImageModel model) {
    return new KolorsHealthIndicator(model);
  }
}
