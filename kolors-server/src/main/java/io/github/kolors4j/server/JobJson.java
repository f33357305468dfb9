package io.github.kolors4j.server;

import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.FinishedImage;
import io.github.kolors4j.request.Progress;
import io.github.kolors4j.service.ImageJob;
import io.github.kolors4j.service.JobState;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

/** Jobs and pictures as clients see them. */
final class JobJson {
  private JobJson() {}

  /** The name of a state, as {@code generating}. */
  static String name(JobState state) {
    return state.name().toLowerCase(Locale.ROOT);
  }

  /** A finished picture as a file that says how it was made. */
  static byte[] file(ImageJob job, FinishedImage image, ImageFormat format) {
    KolorsImage picture = image.image().orElseThrow();
    return file(picture, format, job.metadata(image).texts());
  }

  /** A picture as a file. */
  static byte[] file(KolorsImage picture, ImageFormat format, Map<String, String> texts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      picture.writeTo(out, format, texts);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail so
    }
    return out.toByteArray();
  }

  /** A picture on the way, as Base64 of a PNG. */
  static String base64(KolorsImage picture) {
    return base64(file(picture, ImageFormat.PNG, Map.of()));
  }

  static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  /** A seed without a sign, in all its digits; null where there is none. */
  static Map<String, Object> withSeed(Map<String, Object> json, OptionalLong seed) {
    if (seed.isPresent()) {
      json.put("seed", new BigInteger(Long.toUnsignedString(seed.getAsLong())));
    }
    return json;
  }

  static Map<String, Object> progress(Progress progress) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("stage", progress.stage().name().toLowerCase(Locale.ROOT));
    json.put("image", progress.image());
    json.put("images", progress.images());
    json.put("step", progress.step());
    json.put("steps", progress.steps());
    json.put("seconds_left", seconds(progress.timeLeft()));
    return json;
  }

  static double seconds(Duration time) {
    return time.toMillis() / 1e3;
  }
}
