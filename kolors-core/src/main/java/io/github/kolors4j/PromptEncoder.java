package io.github.kolors4j;

import io.github.kolors4j.chatglm.PromptEmbedding;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tokenizer.TokenizedPrompt;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From the prompts of a request to what the U-Net reads; diffusers' {@code encode_prompt}.
 *
 * @param parts tokenizer and text encoder
 */
record PromptEncoder(Components.Parts parts) {
  private static final Logger LOG = LoggerFactory.getLogger(PromptEncoder.class);

  /** Texts that are encoded together, so that the weights are decoded once for all of them. */
  private static final int TEXT_BATCH = 4;

  /**
   * The prompt of an image.
   *
   * @param negative what guidance leads away from; empty without guidance
   * @param positive what it leads to
   */
  record Guided(Optional<Embedding> negative, Embedding positive) {}

  /** The prompts of a request, for each of its prompts. */
  List<Guided> encode(ImageRequest request, RequestRun run) {
    Map<String, Embedding> encoded = encodeTexts(request, run);
    List<Guided> prompts = new ArrayList<>();
    for (int prompt = 0; prompt < request.numPrompts(); prompt++) {
      Embedding positive = positiveOf(request, prompt, encoded);
      Optional<Embedding> negative =
          request.doClassifierFreeGuidance()
              ? Optional.of(negativeOf(request, prompt, positive, encoded))
              : Optional.empty();
      prompts.add(new Guided(negative, positive));
    }
    return prompts;
  }

  private static Embedding positiveOf(
      ImageRequest request, int prompt, Map<String, Embedding> encoded) {
    return request
        .embeds()
        .map(embeds -> embeds.positive(prompt))
        .orElseGet(() -> encoded.get(request.prompts().get(prompt)));
  }

  private Embedding negativeOf(
      ImageRequest request, int prompt, Embedding positive, Map<String, Embedding> encoded) {
    return request
        .embeds()
        .flatMap(embeds -> embeds.negative(prompt))
        .orElseGet(
            () ->
                zeroOutNegativePrompt(request)
                    ? positive.zeros()
                    : encoded.get(negativeText(request, prompt)));
  }

  /** Every text of a request once. */
  private Map<String, Embedding> encodeTexts(ImageRequest request, RequestRun run) {
    List<String> texts = textsOf(request);
    int maxSequenceLength = maxSequenceLength(request);
    Map<String, Embedding> encoded = new HashMap<>();
    if (texts.isEmpty()) {
      return encoded;
    }
    run.beginText(texts.size());
    for (int from = 0; from < texts.size(); from += TEXT_BATCH) {
      run.checkCancelled();
      List<String> batch = texts.subList(from, Math.min(from + TEXT_BATCH, texts.size()));
      for (EncodedPrompt prompt : encode(batch, maxSequenceLength)) {
        String text = texts.get(encoded.size());
        encoded.put(text, Embedding.of(prompt));
        if (prompt.tokens().truncated()) {
          run.truncated(text, prompt.tokens().lost());
        }
      }
      run.endTexts(encoded.size(), texts.size());
    }
    return encoded;
  }

  /** Tokens of each text: as many as given embeddings have, so that they make one batch. */
  private static int maxSequenceLength(ImageRequest request) {
    if (request.embeds().isPresent()) {
      return request.embeds().get().tokens();
    }
    return request.likeDiffusers() ? ImageRequest.MAX_SEQUENCE_LENGTH : request.maxSequenceLength();
  }

  /** Encodes texts, all together. */
  List<EncodedPrompt> encode(List<String> texts, int maxSequenceLength) {
    List<TokenizedPrompt> tokens =
        texts.stream().map(text -> parts.tokenizer().encode(text, maxSequenceLength)).toList();
    for (TokenizedPrompt prompt : tokens) {
      if (prompt.truncated()) {
        LOG.warn(
            "[request] a prompt is longer than {} tokens; this part of it has no effect: {}",
            maxSequenceLength,
            prompt.lost());
      }
    }
    try (Workspace workspace = new Workspace(parts.threads())) {
      PromptEmbedding embedding =
          parts
              .textEncoder()
              .encode(
                  workspace,
                  tokens.stream().map(TokenizedPrompt::inputIds).toArray(int[][]::new),
                  tokens.stream().map(TokenizedPrompt::attentionMask).toArray(int[][]::new),
                  tokens.stream().map(TokenizedPrompt::positionIds).toArray(int[][]::new));
      List<EncodedPrompt> encoded = new ArrayList<>();
      for (int row = 0; row < texts.size(); row++) {
        encoded.add(
            new EncodedPrompt(
                tokens.get(row),
                arrayOf(embedding.hiddenStates(), row), // [1, s, d]
                arrayOf(embedding.pooled(), row))); // [1, d]
      }
      return encoded;
    }
  }

  private static FloatArray arrayOf(Tensor batch, int row) {
    return FloatArray.row(batch.data(), batch.shape(), row);
  }

  /** The texts that must be encoded, each once. */
  private List<String> textsOf(ImageRequest request) {
    SequencedSet<String> texts = new LinkedHashSet<>(request.prompts());
    boolean negativeGiven =
        request.embeds().flatMap(PromptEmbeds::negativePromptEmbeds).isPresent();
    if (request.doClassifierFreeGuidance() && !negativeGiven && !zeroOutNegativePrompt(request)) {
      for (int prompt = 0; prompt < request.numPrompts(); prompt++) {
        texts.add(negativeText(request, prompt));
      }
    }
    return List.copyOf(texts);
  }

  private boolean zeroOutNegativePrompt(ImageRequest request) {
    return request.negativePrompts().isEmpty() && parts.forceZerosForEmptyPrompt();
  }

  private static String negativeText(ImageRequest request, int prompt) {
    return switch (request.negativePrompts().size()) {
      case 0 -> "";
      case 1 -> request.negativePrompts().getFirst();
      default -> request.negativePrompts().get(prompt);
    };
  }
}
