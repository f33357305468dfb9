package io.github.kolors4j.adapter;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * Which adapters are used, and how strongly: a value that belongs to a request, or to a pipeline
 * for all of its requests. Updates add up.
 *
 * {@snippet :
 * Adapter style = Adapter.load(Path.of("style.safetensors"));
 * Adapter person = Adapter.load(Path.of("person.safetensors"));
 * ImageRequest request =
 *     ImageRequest.builder("一只瓢虫")
 *         .adapters(Adapters.of(style).at(0.8).and(Adapters.of(person)))
 *         .build();
 * }
 *
 * <p>An adapter of weight 0 is as none: the picture has the same bytes.
 */
public final class Adapters {
  /** No adapters. */
  public static final Adapters NONE = new Adapters(List.of());

  /** Those of weight 0 too, whose weight may be said again. */
  private final List<Use> all;

  private final List<Use> uses;

  /**
   * One adapter with its weights.
   *
   * @param adapter which one
   * @param unet what its updates of the U-Net are multiplied by
   * @param textEncoder what its updates of the text encoder are multiplied by
   * @param blocks what those below a name in the U-Net are multiplied by besides, as {@code
   *     up_blocks.0}; the longest name counts
   */
  public record Use(Adapter adapter, double unet, double textEncoder, Map<String, Double> blocks) {
    /** Keeps a copy of the map, in its order. */
    public Use {
      blocks = Collections.unmodifiableMap(new LinkedHashMap<>(blocks));
    }

    /** The weight of a module of the U-Net. */
    double ofUnetModule(String module) {
      String name = module;
      while (!name.isEmpty()) {
        Double block = blocks.get(name);
        if (block != null) {
          return unet * block;
        }
        name = name.substring(0, Math.max(name.lastIndexOf('.'), 0));
      }
      return unet;
    }

    /** Of the file and of all that is said of it. */
    String identity() {
      return "%s %s %s %s".formatted(adapter.sha256(), unet, textEncoder, blocks);
    }

    private boolean isNone() {
      return unet == 0 && textEncoder == 0;
    }
  }

  /**
   * Adapters with all that is said of them.
   *
   * @param uses each with its weights
   * @return those of a weight other than 0
   */
  public static Adapters of(List<Use> uses) {
    return new Adapters(uses);
  }

  private Adapters(List<Use> uses) {
    all = List.copyOf(uses);
    this.uses = all.stream().filter(use -> !use.isNone()).toList();
  }

  /**
   * One adapter, as strong as its file says.
   *
   * @param adapter which one
   * @return it, at weight 1
   */
  public static Adapters of(Adapter adapter) {
    return new Adapters(List.of(new Use(adapter, 1, 1, Map.of())));
  }

  /**
   * These adapters at another weight, in the U-Net and in the text encoder.
   *
   * @param weight what their updates are multiplied by, in place of what was said before; 0 is as
   *     none, and one below 0 takes away what the adapter has learnt
   * @return others
   * @throws IllegalArgumentException if the weight is no finite number
   */
  public Adapters at(double weight) {
    checkFinite(weight);
    return map(use -> new Use(use.adapter, weight, weight, use.blocks));
  }

  /**
   * These adapters at another weight in the text encoder alone.
   *
   * @param weight what their updates of the text encoder are multiplied by, in place of what was
   *     said before
   * @return others
   * @throws IllegalArgumentException if the weight is no finite number
   */
  public Adapters textEncoderAt(double weight) {
    checkFinite(weight);
    return map(use -> new Use(use.adapter, use.unet, weight, use.blocks));
  }

  /**
   * These adapters with another weight in a part of the U-Net.
   *
   * @param block name of a block or of anything below one, as {@code up_blocks}, {@code mid_block}
   *     or {@code down_blocks.2.attentions.1}; of several that a module is below, the longest
   *     counts
   * @param weight what the updates below it are multiplied by, times the weight of {@link #at}; 1
   *     where nothing is said
   * @return others
   * @throws IllegalArgumentException if the weight is no finite number
   */
  public Adapters atBlock(String block, double weight) {
    checkFinite(weight);
    return map(
        use -> {
          Map<String, Double> blocks = new LinkedHashMap<>(use.blocks);
          blocks.put(block, weight);
          return new Use(use.adapter, use.unet, use.textEncoder, blocks);
        });
  }

  /**
   * These adapters and others.
   *
   * @param others the others; the order does not matter but to the last bit
   * @return all of them
   */
  public Adapters and(Adapters others) {
    List<Use> both = new ArrayList<>(all);
    both.addAll(others.all);
    return new Adapters(both);
  }

  private Adapters map(UnaryOperator<Use> change) {
    return new Adapters(all.stream().map(change).toList());
  }

  private static void checkFinite(double weight) {
    if (!Double.isFinite(weight)) {
      throw new IllegalArgumentException(
          "[adapter] the weight is " + weight + ": use a number, such as 0.8.");
    }
  }

  /**
   * The adapters.
   *
   * @return those of a weight other than 0, in order
   */
  public List<Use> uses() {
    return uses;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Adapters adapters && uses.equals(adapters.uses);
  }

  @Override
  public int hashCode() {
    return uses.hashCode();
  }

  /** {@code style.safetensors at 0.8}. */
  @Override
  public String toString() {
    return uses.stream()
        .map(use -> use.adapter + " at " + use.unet)
        .collect(Collectors.joining(", ", "[", "]"));
  }
}
