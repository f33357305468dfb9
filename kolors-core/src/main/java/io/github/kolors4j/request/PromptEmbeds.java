package io.github.kolors4j.request;

import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Shape;
import java.util.Objects;
import java.util.Optional;

/**
 * Encoded prompts in place of texts, such as {@code KolorsPipeline.encodePrompt} gives; diffusers'
 * {@code prompt_embeds} and its kin.
 *
 * @param promptEmbeds the contexts {@code [n, s, d]} of n prompts of s tokens
 * @param pooledPromptEmbeds each prompt as one vector {@code [n, d]}
 * @param negativePromptEmbeds contexts of the negative prompts {@code [n, s, d]}; without them, and
 *     under guidance, the request's negative prompts are encoded
 * @param negativePooledPromptEmbeds each negative prompt as one vector {@code [n, d]}; goes with
 *     {@code negativePromptEmbeds}
 */
public record PromptEmbeds(
    FloatArray promptEmbeds,
    FloatArray pooledPromptEmbeds,
    Optional<FloatArray> negativePromptEmbeds,
    Optional<FloatArray> negativePooledPromptEmbeds) {

  /**
   * Checks that the parts belong together.
   *
   * @throws IllegalArgumentException if their shapes do not fit, or one negative part is missing
   */
  public PromptEmbeds {
    Objects.requireNonNull(promptEmbeds, "promptEmbeds");
    Objects.requireNonNull(pooledPromptEmbeds, "pooledPromptEmbeds");
    Objects.requireNonNull(negativePromptEmbeds, "negativePromptEmbeds");
    Objects.requireNonNull(negativePooledPromptEmbeds, "negativePooledPromptEmbeds");
    Shape context = promptEmbeds.shape();
    if (context.rank() != 3 || context.size() == 0) {
      throw new IllegalArgumentException(
          "[request] prompt_embeds are %s: [prompts, tokens, width] is needed.".formatted(context));
    }
    Shape pooled = pooledPromptEmbeds.shape();
    if (pooled.rank() != 2 || pooled.dim(0) != context.dim(0)) {
      throw new IllegalArgumentException(
          "[request] pooled_prompt_embeds are %s: [%s, width] goes with prompt_embeds %s."
              .formatted(pooled, context.dim(0), context));
    }
    if (negativePromptEmbeds.isPresent() != negativePooledPromptEmbeds.isPresent()) {
      throw new IllegalArgumentException(
          "[request] only one of negative_prompt_embeds and negative_pooled_prompt_embeds: both"
              + " come from the same text, give both or neither.");
    }
    negativePromptEmbeds.ifPresent(
        negative -> requireSame("negative_prompt_embeds", negative, "prompt_embeds", context));
    negativePooledPromptEmbeds.ifPresent(
        negative ->
            requireSame("negative_pooled_prompt_embeds", negative, "pooled_prompt_embeds", pooled));
  }

  /**
   * Encoded prompts without negative ones.
   *
   * @param promptEmbeds the contexts {@code [n, s, d]}
   * @param pooledPromptEmbeds the vectors {@code [n, d]}
   * @return the embeddings
   * @throws IllegalArgumentException if their shapes do not fit
   */
  public static PromptEmbeds of(FloatArray promptEmbeds, FloatArray pooledPromptEmbeds) {
    return new PromptEmbeds(promptEmbeds, pooledPromptEmbeds, Optional.empty(), Optional.empty());
  }

  /**
   * One encoded prompt.
   *
   * @param prompt of {@code KolorsPipeline.encodePrompt}
   * @return the embeddings
   */
  public static PromptEmbeds of(EncodedPrompt prompt) {
    return of(prompt.promptEmbeds(), prompt.pooledPromptEmbeds());
  }

  /**
   * One encoded prompt and its negative one.
   *
   * @param prompt the prompt, from {@code KolorsPipeline.encodePrompt}
   * @param negative the negative prompt, from {@code KolorsPipeline.encodePrompt}
   * @return the embeddings
   * @throws IllegalArgumentException if they have different lengths
   */
  public static PromptEmbeds of(EncodedPrompt prompt, EncodedPrompt negative) {
    return of(prompt).against(of(negative));
  }

  /**
   * The number of prompts.
   *
   * @return n
   */
  public int prompts() {
    return promptEmbeds.shape().dim(0);
  }

  /**
   * The length of each prompt.
   *
   * @return s, in tokens
   */
  public int tokens() {
    return promptEmbeds.shape().dim(1);
  }

  /**
   * One of the prompts.
   *
   * @param index 0 to n − 1
   * @return its embeddings, {@code [1, s, d]} and {@code [1, d]}, with those of its negative prompt
   *     where they are here
   */
  public PromptEmbeds prompt(int index) {
    return new PromptEmbeds(
        promptEmbeds.row(index),
        pooledPromptEmbeds.row(index),
        negativePromptEmbeds.map(negative -> negative.row(index)),
        negativePooledPromptEmbeds.map(negative -> negative.row(index)));
  }

  /**
   * These prompts led away from others: with embeddings of negative prompts.
   *
   * @param negative what they are led away from, as many prompts of as many tokens
   * @return both; the negative prompts of {@code negative} do not matter
   * @throws IllegalArgumentException if the shapes differ
   */
  public PromptEmbeds against(PromptEmbeds negative) {
    return new PromptEmbeds(
        promptEmbeds,
        pooledPromptEmbeds,
        Optional.of(negative.promptEmbeds),
        Optional.of(negative.pooledPromptEmbeds));
  }

  /**
   * The negative prompts as prompts.
   *
   * @return their embeddings, where they are here
   */
  public Optional<PromptEmbeds> negative() {
    return negativePromptEmbeds.map(
        negative -> of(negative, negativePooledPromptEmbeds.orElseThrow()));
  }

  /**
   * Zeros of the same shape, as {@code force_zeros_for_empty_prompt} wants a negative prompt.
   *
   * @return embeddings without negative ones
   */
  public PromptEmbeds zeros() {
    return of(promptEmbeds.zeros(), pooledPromptEmbeds.zeros());
  }

  private static void requireSame(String what, FloatArray values, String like, Shape expected) {
    if (!values.shape().equals(expected)) {
      throw new IllegalArgumentException(
          "[request] %s are %s and %s are %s: they must have the same shape."
              .formatted(what, values.shape(), like, expected));
    }
  }
}
