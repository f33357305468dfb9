package io.github.kolors4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SymmetricBetaTest {
  @Test
  void quantilesAreThoseOfScipyToTwelveDigits() throws IOException {
    JsonObject expected =
        JsonParser.parseString(
                Files.readString(Path.of("src/test/resources/scheduler/beta_quantiles.json")))
            .getAsJsonObject();
    JsonArray p = expected.getAsJsonArray("p");
    JsonArray x = expected.getAsJsonArray("x");
    SymmetricBeta beta = new SymmetricBeta(0.6);
    for (int i = 0; i < p.size(); i++) {
      double wanted = x.get(i).getAsDouble();
      double quantile = beta.quantile(p.get(i).getAsDouble());
      assertTrue(
          Math.abs(quantile - wanted) <= 1e-12 * wanted,
          "quantile of " + p.get(i) + " is " + quantile + " for " + wanted);
      assertTrue(Ulps.between((float) quantile, (float) wanted) <= 1);
    }
  }

  @Test
  void theEndsAndTheMiddleAreExact() {
    SymmetricBeta beta = new SymmetricBeta(0.6);
    assertEquals(0, beta.quantile(0));
    assertEquals(0.5, beta.quantile(0.5));
    assertEquals(1, beta.quantile(1));
  }
}
