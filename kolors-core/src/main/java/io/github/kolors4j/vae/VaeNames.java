package io.github.kolors4j.vae;

import io.github.kolors4j.checkpoint.Parameter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The names that single files have for the parameters of a VAE: those of the first implementation
 * of latent diffusion ({@code encoder.down.0.block.0.norm1}), which ComfyUI's checkpoints use.
 */
public final class VaeNames {
  private static final Map<String, String> LAYERS = new LinkedHashMap<>();

  static {
    LAYERS.put("mid_block.resnets.0.", "mid.block_1.");
    LAYERS.put("mid_block.resnets.1.", "mid.block_2.");
    LAYERS.put("mid_block.attentions.0.group_norm.", "mid.attn_1.norm.");
    LAYERS.put("mid_block.attentions.0.to_q.", "mid.attn_1.q.");
    LAYERS.put("mid_block.attentions.0.to_k.", "mid.attn_1.k.");
    LAYERS.put("mid_block.attentions.0.to_v.", "mid.attn_1.v.");
    LAYERS.put("mid_block.attentions.0.to_out.0.", "mid.attn_1.proj_out.");
    LAYERS.put(".conv_shortcut.", ".nin_shortcut.");
    LAYERS.put(".downsamplers.0.", ".downsample.");
    LAYERS.put(".upsamplers.0.", ".upsample.");
    LAYERS.put("conv_norm_out.", "norm_out.");
    LAYERS.put(".resnets.", ".block.");
  }

  private static final Map<String, String> FORMER =
      Map.of(
          ".to_q.", ".query.",
          ".to_k.", ".key.",
          ".to_v.", ".value.",
          ".to_out.0.", ".proj_attn.");

  /** What a file with a whole VAE may put before each of its names. */
  static final List<String> PREFIXES = List.of("", "vae.", "first_stage_model.");

  private final int blocks;

  private VaeNames(int blocks) {
    this.blocks = blocks;
  }

  /**
   * The names for a VAE of some structure.
   *
   * @param parameters what it has, as {@link AutoencoderKL#parameters} tells
   * @return the names
   */
  public static VaeNames of(List<Parameter> parameters) {
    int blocks = 0;
    for (Parameter parameter : parameters) {
      while (parameter.name().startsWith("decoder.up_blocks." + blocks + ".")) {
        blocks++;
      }
    }
    return new VaeNames(blocks);
  }

  /**
   * The name in files of latent diffusion's layout, which numbers the decoder's blocks from the
   * other end.
   *
   * @param name diffusers' name of a parameter, as {@code decoder.up_blocks.0.resnets.1.conv1.bias}
   * @return as {@code decoder.up.3.block.1.conv1.bias}, without {@code first_stage_model.}
   */
  public Optional<String> ldm(String name) {
    String renamed = replaced(name, LAYERS).replace(".down_blocks.", ".down.");
    for (int block = 0; block < blocks; block++) {
      String from = ".up_blocks." + block + ".";
      if (renamed.contains(from)) {
        return Optional.of(renamed.replace(from, ".up." + (blocks - 1 - block) + "."));
      }
    }
    return Optional.of(renamed);
  }

  /**
   * The name in files of diffusers before its attentions had today's names.
   *
   * @param name diffusers' name of a parameter
   * @return the former one
   */
  static Optional<String> former(String name) {
    return Optional.of(replaced(name, FORMER));
  }

  private static String replaced(String name, Map<String, String> replacements) {
    String renamed = name;
    for (Map.Entry<String, String> each : replacements.entrySet()) {
      renamed = renamed.replace(each.getKey(), each.getValue());
    }
    return renamed;
  }
}
