package io.github.kolors4j.unet;

import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Which self-attentions of a U-Net perturbed attention guidance (Ahn et al. 2024) replaces by the
 * identity, and in how many of the last samples: made by {@link
 * UNet2DConditionModel#perturbedAttention} and given to a {@link
 * UNet2DConditionInput#withPerturbedAttention forward} of the same model. Immutable.
 */
public final class PerturbedAttention {
  static final PerturbedAttention NONE = new PerturbedAttention(Set.of(), 0);

  private final Set<String> names;
  private final int rows;

  private PerturbedAttention(Set<String> names, int rows) {
    this.names = names;
    this.rows = rows;
  }

  /**
   * Diffusers' {@code _set_pag_attn_processor}. Its check for a "fake integral match" has nothing
   * to do in a U-Net: it is for names that end in a number, and these end in {@code attn1}.
   *
   * @param selfAttentions the names of all there are
   */
  static PerturbedAttention of(
      List<String> pagAppliedLayers, int rows, List<String> selfAttentions) {
    Set<String> names = new LinkedHashSet<>();
    for (String layerId : pagAppliedLayers) {
      Pattern pattern = compile(layerId);
      List<String> targets =
          selfAttentions.stream().filter(name -> pattern.matcher(name).find()).toList();
      if (targets.isEmpty()) {
        throw new IllegalArgumentException(
            "[request] pag_applied_layers \"%s\": no self-attention has it in its name. Blocks with self-attentions are %s; a whole name is %s."
                .formatted(layerId, blocks(selfAttentions), selfAttentions.getFirst()));
      }
      names.addAll(targets);
    }
    return new PerturbedAttention(Collections.unmodifiableSet(names), rows);
  }

  private static Pattern compile(String layerId) {
    try {
      return Pattern.compile(layerId);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "[request] pag_applied_layers \"%s\": not a regular expression, %s at character %s. A plain part of a name, as mid, is one too."
              .formatted(layerId, e.getDescription(), e.getIndex()),
          e);
    }
  }

  private static String blocks(List<String> selfAttentions) {
    return String.join(
        ", ",
        selfAttentions.stream()
            .map(name -> name.substring(0, name.indexOf(".attentions.")))
            .distinct()
            .toList());
  }

  /**
   * The self-attentions that are perturbed.
   *
   * @return diffusers' names of their modules, as {@code
   *     mid_block.attentions.0.transformer_blocks.0.attn1}
   */
  public Set<String> names() {
    return names;
  }

  /**
   * How many of the last samples are perturbed.
   *
   * @return samples; the others are, to the last bit, what they are without
   */
  public int rows() {
    return rows;
  }

  boolean perturbs(Attention attention) {
    return names.contains(attention.name());
  }

  @Override
  public String toString() {
    return "PerturbedAttention%s of %s rows".formatted(names, rows);
  }
}
