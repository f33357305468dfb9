package io.github.kolors4j.components;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.checkpoint.WeightAdapter;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A text encoder under adapters.
 *
 * @param base whose weights they change
 * @param adapters of which is known that they fit
 */
record AdaptedTextEncoder(TextEncoder base, List<WeightAdapter> adapters) implements TextEncoder {

  static AdaptedTextEncoder of(TextEncoder base, List<WeightAdapter> adapters)
      throws InvalidFileException {
    try {
      AdaptedTextEncoder adapted = new AdaptedTextEncoder(base, List.copyOf(adapters));
      ChatGlmModel _ = base.use(adapted::over); // what does not fit is found here
      return adapted;
    } catch (UncheckedIOException e) {
      if (e.getCause() instanceof InvalidFileException invalid) {
        throw invalid;
      }
      throw e;
    }
  }

  private ChatGlmModel over(ChatGlmModel model) {
    try {
      return model.adapted(adapters);
    } catch (InvalidFileException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Optional<ChatGlmConfig> config() {
    return base.config();
  }

  @Override
  public <T> T use(Function<ChatGlmModel, T> computation) {
    return base.use(model -> computation.apply(over(model)));
  }

  @Override
  public ChatGlmModel model() {
    return over(base.model());
  }

  @Override
  public long byteLength() {
    return base.byteLength();
  }

  @Override
  public PromptCache.Encoder known() {
    PromptCache.Encoder ofBase = base.known();
    return new PromptCache.Encoder(under(ofBase.identity()), under(ofBase.key()));
  }

  /** What is known of the base, with the adapters. */
  private String under(String known) {
    Identity identity = new Identity().add(known);
    adapters.forEach(adapter -> identity.add(adapter.identity()));
    return identity.digits();
  }

  @Override
  public void requireFiniteWeights() throws InvalidFileException {
    base.requireFiniteWeights();
  }

  @Override
  public void requireWholeFiles() throws InvalidFileException {
    base.requireWholeFiles();
  }

  @Override
  public void close() {
    base.close();
  }
}
