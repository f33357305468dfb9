package io.github.kolors4j.run;

import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.chatglm.PromptEmbedding;
import io.github.kolors4j.components.Components;
import io.github.kolors4j.events.TextEvent;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.request.EncodedPrompt;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Progress;
import io.github.kolors4j.request.PromptEmbeds;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.Stage;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tokenizer.TokenizedPrompt;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.concurrent.CancellationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From the prompts of a request to what the U-Net reads; diffusers' {@code encode_prompt}.
 *
 * @param components tokenizer and text encoder
 */
public record PromptEncoder(Components components) {
  private static final Logger LOG = LoggerFactory.getLogger(PromptEncoder.class);

  /** Texts that are encoded together, so that the weights are decoded once for all of them. */
  private static final int TEXT_BATCH = 4;

  /** Of a long text that a log shows, at either end. */
  private static final int SHOWN_LETTERS = 100;

  /** Each prompt of a request, under guidance with its negative prompt. */
  List<PromptEmbeds> encode(ResolvedRequest resolved, RunState run) {
    ImageRequest request = resolved.request();
    Map<String, PromptEmbeds> encoded = encodeTexts(resolved, run);
    List<PromptEmbeds> prompts = new ArrayList<>();
    for (int index = 0; index < request.numPrompts(); index++) {
      PromptEmbeds prompt =
          request.embeds().isPresent()
              ? request.embeds().get().prompt(index)
              : embedsOf(request.prompts().get(index), encoded);
      if (!resolved.doClassifierFreeGuidance()) {
        prompts.add(PromptEmbeds.of(prompt.promptEmbeds(), prompt.pooledPromptEmbeds()));
      } else if (prompt.negative().isPresent()) {
        prompts.add(prompt);
      } else if (zeroOutNegativePrompt(request)) {
        prompts.add(prompt.against(prompt.zeros()));
      } else {
        prompts.add(prompt.against(embedsOf(negativeText(request, index), encoded)));
      }
    }
    return prompts;
  }

  /**
   * Encodes the texts of requests that are not remembered. The encoder stays open from the first to
   * the last of them.
   *
   * @return how many texts were encoded; 0 where there is no cache to remember them
   */
  int encodeAhead(List<ResolvedRequest> requests, RunControl control, Cancellation cancellation) {
    Optional<PromptCache> cache = components.promptCache();
    if (cache.isEmpty()) {
      return 0;
    }
    String encoder = components.textEncoder().known().key();
    SequencedMap<Integer, SequencedSet<String>> unknown = new LinkedHashMap<>();
    for (ResolvedRequest request : requests) {
      int length = maxSequenceLength(request);
      for (String text : textsOf(request)) {
        TokenizedPrompt tokens = components.tokenizer().encode(text, length);
        if (!cache.get().touch(PromptCache.key(tokens, encoder, components.products()))) {
          unknown.computeIfAbsent(length, _ -> new LinkedHashSet<>()).add(text);
        }
      }
    }
    int texts = unknown.values().stream().mapToInt(SequencedSet::size).sum();
    if (texts > 0) {
      components.textEncoder().use(_ -> encodeAll(unknown, texts, control, cancellation));
    }
    return texts;
  }

  private int encodeAll(
      SequencedMap<Integer, SequencedSet<String>> unknown,
      int texts,
      RunControl control,
      Cancellation cancellation) {
    long begin = System.nanoTime();
    int done = 0;
    for (Map.Entry<Integer, SequencedSet<String>> each : unknown.entrySet()) {
      List<String> ofLength = List.copyOf(each.getValue());
      for (int from = 0; from < ofLength.size(); from += TEXT_BATCH) {
        if (cancellation.isWanted()) {
          throw cancelled(cancellation);
        }
        List<String> batch = ofLength.subList(from, Math.min(from + TEXT_BATCH, ofLength.size()));
        encode(batch, each.getKey());
        done += batch.size();
        Duration perText = Duration.ofNanos((System.nanoTime() - begin) / done);
        Progress progress =
            new Progress(Stage.TEXT, 0, 1, done, texts, Float.NaN, perText, Duration.ZERO);
        control.onProgress().ifPresent(listener -> listener.onProgress(progress));
      }
    }
    return done;
  }

  static CancellationException cancelled(Cancellation cancellation) {
    return new CancellationException(
        "[request] the encoding of the prompt was cancelled %s.".formatted(cancellation.reason()));
  }

  private static PromptEmbeds embedsOf(String text, Map<String, PromptEmbeds> encoded) {
    return Objects.requireNonNull(encoded.get(text));
  }

  /** How many texts of a request the encoder would have to read. */
  int textsToEncode(ResolvedRequest resolved) {
    List<String> texts = textsOf(resolved);
    Optional<PromptCache> cache = components.promptCache();
    if (texts.isEmpty() || cache.isEmpty()) {
      return texts.size();
    }
    String encoder = components.textEncoder().known().key();
    int length = maxSequenceLength(resolved);
    return (int)
        texts.stream()
            .map(
                text ->
                    PromptCache.key(
                        components.tokenizer().encode(text, length),
                        encoder,
                        components.products()))
            .filter(key -> !cache.get().has(key))
            .count();
  }

  /** Every text of a request once. */
  private Map<String, PromptEmbeds> encodeTexts(ResolvedRequest resolved, RunState run) {
    List<String> texts = textsOf(resolved);
    int maxSequenceLength = maxSequenceLength(resolved);
    Map<String, PromptEmbeds> encoded = new HashMap<>();
    if (texts.isEmpty()) {
      return encoded;
    }
    run.beginText(texts.size());
    for (int from = 0; from < texts.size(); from += TEXT_BATCH) {
      run.checkCancelled();
      List<String> batch = texts.subList(from, Math.min(from + TEXT_BATCH, texts.size()));
      for (EncodedPrompt prompt : encode(batch, maxSequenceLength)) {
        String text = texts.get(encoded.size());
        run.requireFiniteText(prompt, encoded.size() + 1, texts.size());
        encoded.put(text, PromptEmbeds.of(prompt));
        if (prompt.tokens().truncated()) {
          run.truncated(text, prompt.tokens().lost());
        }
      }
      run.endTexts(encoded.size(), texts.size());
    }
    return encoded;
  }

  /** Tokens of each text: as many as given embeddings have, so that they make one batch. */
  private static int maxSequenceLength(ResolvedRequest resolved) {
    ImageRequest request = resolved.request();
    if (request.embeds().isPresent()) {
      return request.embeds().get().tokens();
    }
    return resolved.likeDiffusers()
        ? ImageRequest.MAX_SEQUENCE_LENGTH
        : request.maxSequenceLength();
  }

  /**
   * Encodes texts, all together.
   *
   * @param texts prompts, or negative ones
   * @param maxSequenceLength tokens of each
   * @return one a text
   */
  public List<EncodedPrompt> encode(List<String> texts, int maxSequenceLength) {
    List<TokenizedPrompt> tokens =
        texts.stream().map(text -> components.tokenizer().encode(text, maxSequenceLength)).toList();
    for (TokenizedPrompt prompt : tokens) {
      if (prompt.truncated()) {
        LOG.warn(
            "[request] a prompt is longer than {} tokens; this part of it has no effect: {}",
            maxSequenceLength,
            shown(prompt.lost()));
      }
    }
    TextEvent event = new TextEvent();
    event.begin();
    List<EncodedPrompt> encoded = remembered(tokens, event);
    if (event.shouldCommit()) {
      event.prompts = texts.size();
      event.tokens = maxSequenceLength;
      event.commit();
    }
    return encoded;
  }

  /** Those that the cache knows from there, and the others encoded, all together. */
  private List<EncodedPrompt> remembered(List<TokenizedPrompt> tokens, TextEvent event) {
    Optional<PromptCache> cache = components.promptCache();
    if (cache.isEmpty()) {
      return encode(tokens);
    }
    String encoder = components.textEncoder().known().key();
    Map<TokenizedPrompt, EncodedPrompt> known = new HashMap<>();
    List<TokenizedPrompt> unknown = new ArrayList<>();
    for (TokenizedPrompt prompt : tokens) {
      cache
          .get()
          .find(PromptCache.key(prompt, encoder, components.products()))
          .ifPresentOrElse(
              embeds -> known.put(prompt, encoded(prompt, embeds)), () -> unknown.add(prompt));
    }
    event.remembered = tokens.size() - unknown.size();
    if (!unknown.isEmpty()) {
      for (EncodedPrompt made : encode(unknown)) {
        known.put(made.tokens(), made);
        cache
            .get()
            .remember(
                PromptCache.key(made.tokens(), encoder, components.products()),
                PromptEmbeds.of(made));
      }
    }
    return tokens.stream().map(prompt -> Objects.requireNonNull(known.get(prompt))).toList();
  }

  private static EncodedPrompt encoded(TokenizedPrompt prompt, PromptEmbeds embeds) {
    return new EncodedPrompt(prompt, embeds.promptEmbeds(), embeds.pooledPromptEmbeds());
  }

  private List<EncodedPrompt> encode(List<TokenizedPrompt> tokens) {
    return components.textEncoder().use(textEncoder -> encode(textEncoder, tokens));
  }

  private List<EncodedPrompt> encode(ChatGlmModel textEncoder, List<TokenizedPrompt> tokens) {
    try (var _ = components.threads().turn();
        Workspace workspace = components.workspace()) {
      PromptEmbedding embedding =
          textEncoder.encode(
              workspace,
              tokens.stream().map(TokenizedPrompt::inputIds).toArray(int[][]::new),
              tokens.stream().map(TokenizedPrompt::attentionMask).toArray(int[][]::new),
              tokens.stream().map(TokenizedPrompt::positionIds).toArray(int[][]::new));
      List<EncodedPrompt> encoded = new ArrayList<>();
      for (int row = 0; row < tokens.size(); row++) {
        encoded.add(
            new EncodedPrompt(
                tokens.get(row),
                arrayOf(embedding.hiddenStates(), row), // [1, s, d]
                arrayOf(embedding.pooled(), row))); // [1, d]
      }
      return encoded;
    }
  }

  /** A text of any length in a line of a log: its beginning and its end. */
  private static String shown(String text) {
    int length = text.length();
    return length <= 2 * SHOWN_LETTERS
        ? text
        : text.substring(0, SHOWN_LETTERS)
            + String.format(Locale.ROOT, " ... (%,d letters) ... ", length)
            + text.substring(length - SHOWN_LETTERS);
  }

  private static FloatArray arrayOf(Tensor batch, int row) {
    return FloatArray.row(batch.data(), batch.shape(), row);
  }

  /** The texts that must be encoded, each once. */
  private List<String> textsOf(ResolvedRequest resolved) {
    ImageRequest request = resolved.request();
    SequencedSet<String> texts = new LinkedHashSet<>(request.prompts());
    boolean negativeGiven =
        request.embeds().flatMap(PromptEmbeds::negativePromptEmbeds).isPresent();
    if (resolved.doClassifierFreeGuidance() && !negativeGiven && !zeroOutNegativePrompt(request)) {
      for (int prompt = 0; prompt < request.numPrompts(); prompt++) {
        texts.add(negativeText(request, prompt));
      }
    }
    return List.copyOf(texts);
  }

  private boolean zeroOutNegativePrompt(ImageRequest request) {
    return request.negativePrompts().isEmpty() && components.forceZerosForEmptyPrompt();
  }

  private static String negativeText(ImageRequest request, int prompt) {
    return switch (request.negativePrompts().size()) {
      case 0 -> "";
      case 1 -> request.negativePrompts().getFirst();
      default -> request.negativePrompts().get(prompt);
    };
  }
}
