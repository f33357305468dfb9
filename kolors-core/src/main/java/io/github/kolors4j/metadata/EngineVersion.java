package io.github.kolors4j.metadata;

import io.github.kolors4j.tensor.Engine;
import io.github.kolors4j.tensor.Products;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;

/**
 * What computed a picture. Its pixels depend on the precision; on the version only where that says
 * so in its changelog; on the kernels never, where the precision is {@code f32}.
 *
 * @param library the version of kolors4j, as {@code 0.1.0}
 * @param kernels the inner loops, as {@code vector 256-bit}, and what multiplies where that is not
 *     F32, as {@code vector 512-bit, AVX512-BF16}
 * @param precision of the products, as {@code f32}
 */
public record EngineVersion(String library, String kernels, String precision) {
  private static final String LIBRARY_VERSION = libraryVersion();

  /**
   * The engine of this JVM.
   *
   * @param products who computes products
   * @return this library's version, its kernels here, and the precision
   */
  public static EngineVersion current(Products products) {
    String kernels =
        Engine.current().kernels()
            + products.kernel().map(kernel -> ", " + kernel.description()).orElse("");
    return new EngineVersion(LIBRARY_VERSION, kernels, products.precision().toString());
  }

  private static String libraryVersion() {
    Properties properties = new Properties();
    try (InputStream in = EngineVersion.class.getResourceAsStream("version.properties")) {
      if (in != null) {
        properties.load(in);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return properties.getProperty("version", "unknown");
  }

  Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("library", library);
    json.put("kernels", kernels);
    json.put("precision", precision);
    return json;
  }

  static EngineVersion of(MetadataValues json) {
    return new EngineVersion(json.text("library"), json.text("kernels"), json.text("precision"));
  }
}
