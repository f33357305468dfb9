package io.github.kolors4j.examples.spring;

import io.github.kolors4j.mini.MiniCheckpoint;
import java.io.IOException;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * Answers {@code /picture?prompt=…} with a PNG. It draws with the mini checkpoint unless {@code
 * --spring.ai.kolors.image.model} names another one.
 */
@SpringBootApplication
public class PictureApplication {
  /** For Spring. */
  public PictureApplication() {}

  /**
   * Runs the application.
   *
   * @param args properties, as {@code --server.port=8081}
   * @throws IOException if the mini checkpoint cannot be unpacked
   */
  public static void main(String[] args) throws IOException {
    SpringApplication application = new SpringApplication(PictureApplication.class);
    application.setDefaultProperties(
        Map.of("spring.ai.kolors.image.model", MiniCheckpoint.directory().toString()));
    application.run(args);
  }
}
