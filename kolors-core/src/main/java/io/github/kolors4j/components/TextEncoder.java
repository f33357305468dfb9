package io.github.kolors4j.components;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.WeightAdapter;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The text encoder, which need not be open as long as nobody encodes. */
public sealed interface TextEncoder extends AutoCloseable
    permits StoredTextEncoder, AdaptedTextEncoder {

  /** Its configuration; nothing where its files are gone. */
  Optional<ChatGlmConfig> config();

  /**
   * Computes something with the model.
   *
   * @throws java.io.UncheckedIOException if it has to be opened and cannot be
   */
  <T> T use(Function<ChatGlmModel, T> computation);

  /** The model, which stays open from now on. */
  ChatGlmModel model();

  /** The size of its weights. */
  long byteLength();

  /** What tells it from others, and its prompts from those of others. */
  PromptCache.Encoder known();

  /**
   * Reads all weights, which opens them.
   *
   * @throws InvalidFileException with the first that is NaN or infinite
   * @throws java.io.UncheckedIOException if they have to be opened and cannot be
   */
  void requireFiniteWeights() throws InvalidFileException;

  /**
   * Whether the files that are open are still all there.
   *
   * @throws InvalidFileException with the name of one that was cut short
   */
  void requireWholeFiles() throws InvalidFileException;

  /**
   * This one under adapters, open whenever this one is.
   *
   * @throws InvalidFileException if something of an adapter does not fit
   * @throws java.io.UncheckedIOException if it has to be opened and cannot be
   */
  default TextEncoder adapted(List<WeightAdapter> adapters) throws InvalidFileException {
    return adapters.isEmpty() ? this : AdaptedTextEncoder.of(this, adapters);
  }

  /** Unmaps the weights; they are mapped again when somebody encodes, if they are on demand. */
  @Override
  void close();
}
