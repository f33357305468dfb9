package io.github.kolors4j.components;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.events.LoadEvent;
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
final class StoredTextEncoder implements TextEncoder {
  /** Where it is, for one that is opened on demand. */
  private record Source(Path directory, OpenOptions options) {
    ChatGlmModel open() {
      LoadEvent event = new LoadEvent();
      event.begin();
      try {
        ChatGlmModel model = load(directory, options);
        if (event.shouldCommit()) {
          event.part = "text_encoder";
          event.folder = directory.toString();
          event.commit();
        }
        return model;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private final @Nullable Source source;
  private final Optional<ChatGlmConfig> config;
  private @Nullable ChatGlmModel model;
  private PromptCache.@Nullable Encoder known;
  private int users;

  /** Somebody was given the model itself, for as long as the checkpoint is open. */
  private boolean lent;

  private StoredTextEncoder(
      @Nullable Source source, Optional<ChatGlmConfig> config, @Nullable ChatGlmModel model) {
    this.source = source;
    this.config = config;
    this.model = model;
  }

  static ChatGlmModel load(Path directory, OpenOptions options) throws IOException {
    Optional<Path> file = options.singleFiles().textEncoder();
    return file.isPresent()
        ? ChatGlmModel.loadFile(directory, file.get())
        : ChatGlmModel.load(directory, options.variant());
  }

  /** One that is open, and that whoever opened it closes after this. */
  static StoredTextEncoder of(ChatGlmModel model) {
    return new StoredTextEncoder(null, Optional.of(model.config()), model);
  }

  /**
   * One that is opened when somebody encodes; its files may even be gone as long as nobody does.
   */
  static StoredTextEncoder onDemand(Path directory, OpenOptions options) throws IOException {
    Path file = directory.resolve("config.json");
    Optional<ChatGlmConfig> config =
        Files.exists(file)
            ? Optional.of(ChatGlmConfig.of(JsonConfig.read(file)))
            : Optional.empty();
    return new StoredTextEncoder(new Source(directory, options), config, null);
  }

  @Override
  public long byteLength() {
    return use(ChatGlmModel::byteLength);
  }

  @Override
  public Optional<ChatGlmConfig> config() {
    return config;
  }

  @Override
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

  @Override
  public synchronized ChatGlmModel model() {
    ChatGlmModel open = open();
    lent = true;
    return open;
  }

  @Override
  public synchronized PromptCache.Encoder known() {
    PromptCache.Encoder encoder = known;
    if (encoder == null) {
      encoder = find();
      known = encoder;
    }
    return encoder;
  }

  private PromptCache.Encoder find() {
    if (source == null
        || source.options.promptCache().isEmpty()
        || source.options.singleFiles().textEncoder().isPresent()) {
      String identity = use(ChatGlmModel::identity);
      return new PromptCache.Encoder(identity, identity);
    }
    return source
        .options
        .promptCache()
        .get()
        .encoder(
            source.directory,
            source.options.variant().orElse(""),
            () -> use(ChatGlmModel::identity));
  }

  @Override
  public void requireFiniteWeights() throws InvalidFileException {
    ChatGlmModel open = begin();
    try {
      open.requireFiniteWeights();
    } finally {
      end();
    }
  }

  @Override
  public synchronized void requireWholeFiles() throws InvalidFileException {
    if (model != null) {
      model.requireWholeFiles();
    }
  }

  @Override
  public synchronized void close() {
    if (model != null && source != null) {
      model.close();
      model = null;
    }
  }
}
