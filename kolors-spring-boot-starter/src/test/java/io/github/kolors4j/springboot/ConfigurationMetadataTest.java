package io.github.kolors4j.springboot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.scheduler.Schedulers;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What an editor knows of the properties. */
class ConfigurationMetadataTest {
  private static JsonNode metadata;

  @BeforeAll
  static void read() throws IOException {
    try (InputStream in =
        KolorsImageProperties.class.getResourceAsStream(
            "/META-INF/spring-configuration-metadata.json")) {
      metadata = JsonMapper.shared().readTree(in);
    }
  }

  private static Map<String, JsonNode> byName(String list) {
    return metadata
        .get(list)
        .valueStream()
        .collect(Collectors.toMap(each -> each.get("name").asString(), each -> each));
  }

  /** {@code numInferenceSteps} as {@code num-inference-steps}. */
  private static String kebab(RecordComponent component) {
    return component.getName().replaceAll("[A-Z]", "-$0").toLowerCase(Locale.ROOT);
  }

  @Test
  void everyPropertyHasADescription() {
    Map<String, JsonNode> properties = byName("properties");
    Set<String> expected =
        Arrays.stream(KolorsImageProperties.class.getRecordComponents())
            .map(component -> KolorsImageProperties.PREFIX + "." + kebab(component))
            .collect(Collectors.toSet());
    expected.add("spring.ai.model.image");
    expected.add("management.health.kolors.enabled");
    assertEquals(expected, properties.keySet());
    properties.forEach(
        (name, property) -> {
          String description = property.get("description").asString();
          assertTrue(description.endsWith("."), name + ": " + description);
          assertFalse(description.contains("{@"), name + ": " + description);
        });
  }

  @Test
  void defaultsAreKnown() {
    Map<String, JsonNode> properties = byName("properties");
    assertEquals(
        16, properties.get("spring.ai.kolors.image.queue-capacity").get("defaultValue").asInt());
    assertEquals(
        "10s",
        properties.get("spring.ai.kolors.image.shutdown-timeout").get("defaultValue").asString());
    assertEquals(
        "f32", properties.get("spring.ai.kolors.image.precision").get("defaultValue").asString());
  }

  @Test
  void everySchedulerIsCompleted() {
    List<String> completed =
        byName("hints")
            .get("spring.ai.kolors.image.scheduler")
            .get("values")
            .valueStream()
            .map(value -> value.get("value").asString())
            .toList();
    assertEquals(
        Schedulers.all().stream().map(type -> type.shortNames().getFirst()).toList(), completed);
  }
}
