package io.github.kolors4j.tokenizer;

import java.util.Arrays;
import java.util.Objects;

/**
 * A prompt as the text encoder takes it: padded on the left and cut to a length.
 *
 * <p>A value: the arrays are copied on the way in and on the way out, and two prompts are equal if
 * what is in their arrays is.
 *
 * @param inputIds token ids {@code [s]}: padding, then {@code [gMASK] sop}, then the text
 * @param attentionMask 0 for padding and 1 for tokens {@code [s]}
 * @param positionIds 0 for padding, and 0, 1, 2 … for the tokens {@code [s]}
 * @param lostTokens how many tokens at the end of the text did not fit
 * @param lost the text of those tokens, "" if there are none. It is decoded alone: a space at its
 *     beginning is gone, and if the cut went through the bytes of a character, its rest shows as
 *     U+FFFD.
 */
public record TokenizedPrompt(
    int[] inputIds, int[] attentionMask, int[] positionIds, int lostTokens, String lost) {

  /**
   * A prompt.
   *
   * @throws IllegalArgumentException if the arrays differ in length
   */
  public TokenizedPrompt {
    inputIds = inputIds.clone();
    attentionMask = attentionMask.clone();
    positionIds = positionIds.clone();
    Objects.requireNonNull(lost, "lost");
    if (attentionMask.length != inputIds.length || positionIds.length != inputIds.length) {
      throw new IllegalArgumentException(
          "[tokenizer] %s ids, %s mask values and %s positions: they must be equally many"
              .formatted(inputIds.length, attentionMask.length, positionIds.length));
    }
  }

  /**
   * The token ids.
   *
   * @return a copy {@code [s]}
   */
  @Override
  public int[] inputIds() {
    return inputIds.clone();
  }

  /**
   * The attention mask.
   *
   * @return a copy {@code [s]}
   */
  @Override
  public int[] attentionMask() {
    return attentionMask.clone();
  }

  /**
   * The positions.
   *
   * @return a copy {@code [s]}
   */
  @Override
  public int[] positionIds() {
    return positionIds.clone();
  }

  /**
   * How many tokens there are, padding included.
   *
   * @return the length of each of the arrays
   */
  public int length() {
    return inputIds.length;
  }

  /**
   * Whether the end of the text did not fit.
   *
   * @return whether tokens were lost
   */
  public boolean truncated() {
    return lostTokens > 0;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenizedPrompt that
        && Arrays.equals(inputIds, that.inputIds)
        && Arrays.equals(attentionMask, that.attentionMask)
        && Arrays.equals(positionIds, that.positionIds)
        && lostTokens == that.lostTokens
        && lost.equals(that.lost);
  }

  @Override
  public int hashCode() {
    return Objects.hash(Arrays.hashCode(inputIds), lostTokens, lost);
  }

  @Override
  public String toString() {
    return "TokenizedPrompt[inputIds="
        + Arrays.toString(inputIds)
        + ", attentionMask="
        + Arrays.toString(attentionMask)
        + ", positionIds="
        + Arrays.toString(positionIds)
        + ", lostTokens="
        + lostTokens
        + ", lost="
        + lost
        + "]";
  }
}
