package io.github.kolors4j.springboot;

import io.github.kolors4j.service.ImageService;
import io.github.kolors4j.springai.KolorsImageModel;
import java.util.Objects;
import java.util.Optional;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * Whether an image model can make pictures: {@code UNKNOWN} until the first call has opened the
 * checkpoint, then {@code UP}; {@code DOWN} while the last attempt to open it failed. A full queue
 * is no illness: it shows in the details {@code waiting} and {@code queueCapacity}.
 */
public final class KolorsHealthIndicator implements HealthIndicator {
  private final KolorsImageModel model;

  /**
   * Looks at a model.
   *
   * @param model never opened by this
   */
  public KolorsHealthIndicator(KolorsImageModel model) {
    this.model = Objects.requireNonNull(model, "model");
  }

  /**
   * How the model is.
   *
   * @return its state, with the model's name and the queue
   */
  @Override
  public Health health() {
    Health.Builder health =
        model.openService().map(KolorsHealthIndicator::open).orElseGet(this::notOpen);
    Optional.ofNullable(model.options().getModel())
        .ifPresent(name -> health.withDetail("model", name));
    return health.build();
  }

  private static Health.Builder open(ImageService service) {
    return Health.up()
        .withDetail("precision", service.pipeline().precision().toString())
        .withDetail("running", service.running())
        .withDetail("waiting", service.waiting())
        .withDetail("queueCapacity", service.queueCapacity());
  }

  private Health.Builder notOpen() {
    return model
        .openingFailure()
        .map(Health::down)
        .orElseGet(() -> Health.unknown().withDetail("reason", "the first call opens the model"));
  }
}
