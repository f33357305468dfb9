package io.github.kolors4j.components;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The text encoder, two thirds of a checkpoint and needed for seconds: open as long as the
 * checkpoint is, or only while somebody encodes. Closing unmaps its pages, which the system can
 * then give to the U-Net first.
 */
public final class TextEncoder implements AutoCloseable {
  /** Where it is, for one that is opened on demand. */
  private record Source(Path directory, Optional<String> variant, Optional<PromptCache> cache) {
    ChatGlmModel open() {
      try {
        return ChatGlmModel.load(directory, variant);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private final @Nullable Source source;
  private final Optional<ChatGlmConfig> config;
  private @Nullable ChatGlmModel model;
  private @Nullable String identity;
  private int users;

  /** Somebody was given the model itself, for as long as the checkpoint is open. */
  private boolean lent;

  private TextEncoder(
      @Nullable Source source, Optional<ChatGlmConfig> config, @Nullable ChatGlmModel model) {
    this.source = source;
    this.config = config;
    this.model = model;
  }

  /** One that is open, and that whoever opened it closes after this. */
  static TextEncoder of(ChatGlmModel model) {
    return new TextEncoder(null, Optional.of(model.config()), model);
  }

  /**
   * One that is opened when somebody encodes; its files may even be gone as long as nobody does.
   */
  static TextEncoder onDemand(Path directory, Optional<String> variant, Optional<PromptCache> cache)
      throws IOException {
    Path file = directory.resolve("config.json");
    Optional<ChatGlmConfig> config =
        Files.exists(file)
            ? Optional.of(ChatGlmConfig.of(JsonConfig.read(file)))
            : Optional.empty();
    return new TextEncoder(new Source(directory, variant, cache), config, null);
  }

  /** Its configuration; nothing where its files are gone. */
  Optional<ChatGlmConfig> config() {
    return config;
  }

  /**
   * Computes something with the model.
   *
   * @throws UncheckedIOException if it has to be opened and cannot be
   */
  public <T> T use(Function<ChatGlmModel, T> computation) {
    ChatGlmModel open = begin();
    try {
      return computation.apply(open);
    } finally {
      end();
    }
  }

  private synchronized ChatGlmModel begin() {
    ChatGlmModel open = open();
    users++;
    return open;
  }

  private ChatGlmModel open() {
    if (model == null) {
      model = Objects.requireNonNull(source).open();
    }
    return model;
  }

  private synchronized void end() {
    users--;
    if (users == 0 && source != null && !lent) {
      close();
    }
  }

  /** The model, which stays open from now on. */
  public synchronized ChatGlmModel model() {
    ChatGlmModel open = open();
    lent = true;
    return open;
  }

  /** What tells it from others. */
  public synchronized String identity() {
    String known = identity;
    if (known == null) {
      known =
          source == null || source.cache.isEmpty()
              ? use(ChatGlmModel::identity)
              : source
                  .cache
                  .get()
                  .encoderIdentity(
                      source.directory,
                      source.variant.orElse(""),
                      () -> use(ChatGlmModel::identity));
      identity = known;
    }
    return known;
  }

  /**
   * Reads all weights, which opens them.
   *
   * @throws InvalidFileException with the first that is NaN or infinite
   * @throws UncheckedIOException if they have to be opened and cannot be
   */
  void requireFiniteWeights() throws InvalidFileException {
    ChatGlmModel open = begin();
    try {
      open.requireFiniteWeights();
    } finally {
      end();
    }
  }

  /**
   * Whether the files that are open are still all there.
   *
   * @throws InvalidFileException with the name of one that was cut short
   */
  synchronized void requireWholeFiles() throws InvalidFileException {
    if (model != null) {
      model.requireWholeFiles();
    }
  }

  /** Unmaps the weights; they are mapped again when somebody encodes, if they are on demand. */
  @Override
  public synchronized void close() {
    if (model != null && source != null) {
      model.close();
      model = null;
    }
  }
}
