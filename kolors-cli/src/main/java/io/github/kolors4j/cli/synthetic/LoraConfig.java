package io.github.kolors4j.cli.synthetic;

import io.github.kolors4j.checkpoint.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The size of a LoRA for the U-Net, under the names that PEFT and diffusers give its tensors.
 *
 * @param rank rows of A and columns of B
 * @param modules which modules it updates
 */
public record LoraConfig(int rank, Modules modules) {
  /** A rank of many published files, and Kolors' own script's modules. */
  static final LoraConfig DEFAULT = new LoraConfig(16, Modules.ATTENTION);

  private static final String WEIGHT = ".weight";

  /** The modules of the U-Net that a LoRA updates. */
  public enum Modules {
    /** Queries, keys, values and outputs of attentions, as Kolors' own DreamBooth script. */
    ATTENTION,
    /** Everything that has a matrix or a filter. */
    ALL
  }

  /**
   * Its tensors.
   *
   * @param unet the tensors of the U-Net
   */
  List<Parameter> parameters(List<Parameter> unet) {
    List<Parameter> parameters = new ArrayList<>();
    unet.stream().filter(this::isUpdated).forEach(each -> parameters.addAll(factors(each)));
    return List.copyOf(parameters);
  }

  private boolean isUpdated(Parameter weight) {
    boolean hasRows = weight.name().endsWith(WEIGHT) && weight.shape().size() > 1;
    return hasRows
        && (modules == Modules.ALL
            || Stream.of(".to_q", ".to_k", ".to_v", ".to_out.0")
                .anyMatch(end -> weight.name().endsWith(end + WEIGHT)));
  }

  /** A as the weight, of so many outputs; B as a weight of so many inputs, without a kernel. */
  private List<Parameter> factors(Parameter weight) {
    String module = "unet." + weight.name().substring(0, weight.name().length() - WEIGHT.length());
    List<Long> down = new ArrayList<>(weight.shape());
    down.set(0, (long) rank);
    List<Long> up = new ArrayList<>(List.of(weight.shape().getFirst(), (long) rank));
    weight.shape().stream().skip(2).forEach(_ -> up.add(1L));
    return List.of(
        new Parameter(module + ".lora_A.weight", down),
        new Parameter(module + ".lora_B.weight", up));
  }
}
