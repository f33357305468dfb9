package io.github.kolors4j.cli;

import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.tensor.Precision;
import io.github.kolors4j.tensor.random.GeneratorType;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** What a shell completes the value of an option to: words that the option takes. */
abstract class Candidates implements Iterable<String> {
  /** Asked for by the script of {@code completion} alone, and by no other start. */
  private final Supplier<Stream<String>> words;

  private Candidates(Supplier<Stream<String>> words) {
    this.words = words;
  }

  @Override
  public final Iterator<String> iterator() {
    return words.get().iterator();
  }

  /** Of {@code --preview}. */
  static final class Previews extends Candidates {
    Previews() {
      super(
          () -> Arrays.stream(PreviewMode.values()).map(mode -> mode.name().toLowerCase(Locale.ROOT)));
    }
  }

  /** Of {@code --precision}. */
  static final class Precisions extends Candidates {
    Precisions() {
      super(() -> Arrays.stream(Precision.values()).map(Precision::toString));
    }
  }

  /** Of {@code --rng}. */
  static final class Generators extends Candidates {
    Generators() {
      super(() -> Arrays.stream(GeneratorType.values()).map(GeneratorType::toString));
    }
  }

  /** Of {@code --scheduler}: diffusers' names and the short ones. */
  static final class SchedulerNames extends Candidates {
    SchedulerNames() {
      super(
          () ->
              Schedulers.all().stream()
                  .flatMap(
                      type ->
                          Stream.concat(Stream.of(type.className()), type.shortNames().stream())));
    }
  }

  /** Of {@code --output-type}. */
  static final class OutputTypes extends Candidates {
    OutputTypes() {
      super(() -> Stream.of("image", "latent"));
    }
  }

  /** Of {@code --compat}. */
  static final class Compatibilities extends Candidates {
    Compatibilities() {
      super(() -> Stream.of("diffusers"));
    }
  }

  /** Of {@code cache}. */
  static final class CacheActions extends Candidates {
    CacheActions() {
      super(() -> Stream.of("list", "verify", "remove"));
    }
  }
}
