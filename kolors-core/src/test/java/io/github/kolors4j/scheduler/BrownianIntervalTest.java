package io.github.kolors4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.tensor.random.TorchGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class BrownianIntervalTest {
  private static final int LENGTH = 18;

  private static BrownianInterval motion(double start, double end, long seed) {
    return new BrownianInterval(
        start,
        end,
        seed,
        LENGTH,
        (s, target) -> new TorchGenerator(s).randn(target, 0, target.length));
  }

  @Test
  void increasesAreThoseOfTorchsde() throws IOException {
    String json = Files.readString(Path.of("src/test/resources/scheduler/brownian.json"));
    for (JsonElement element : JsonParser.parseString(json).getAsJsonArray()) {
      JsonObject expected = element.getAsJsonObject();
      JsonArray values = expected.getAsJsonArray("values");
      float[] actual =
          motion(
                  expected.get("start").getAsDouble(),
                  expected.get("end").getAsDouble(),
                  expected.get("seed").getAsLong())
              .between(expected.get("from").getAsDouble(), expected.get("to").getAsDouble());
      for (int i = 0; i < LENGTH; i++) {
        assertEquals(values.get(i).getAsFloat(), actual[i], 1e-6f, expected + " value " + i);
      }
    }
  }

  @Test
  void theOrderOfQuestionsDoesNotMatter() {
    BrownianInterval forwards = motion(0, 10, 3);
    BrownianInterval backwards = motion(0, 10, 3);
    float[] early = forwards.between(1, 2.5);
    float[] late = forwards.between(7.25, 9);
    assertArrayEquals(late, backwards.between(7.25, 9));
    assertArrayEquals(early, backwards.between(1, 2.5));
  }

  @Test
  void partsAddUpToTheWhole() {
    BrownianInterval motion = motion(0, 10, 4);
    float[] whole = motion.between(0, 10);
    float[] first = motion.between(0, 3.3);
    float[] second = motion.between(3.3, 10);
    for (int i = 0; i < LENGTH; i++) {
      assertEquals(whole[i], first[i] + second[i], 1e-5f);
    }
  }

  @Test
  void timesOutsideCountAsTheEnds() {
    BrownianInterval motion = motion(1, 10, 5);
    assertArrayEquals(motion.between(1, 10), motion.between(0, 11));
    assertArrayEquals(new float[LENGTH], motion.between(11, 12));
  }
}
