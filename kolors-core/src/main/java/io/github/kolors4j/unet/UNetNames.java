package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Parameter;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The names that other programs have for a U-Net's modules: those of the first implementation of
 * SDXL (Stability's generative-models: {@code input_blocks.4.1}), which single files of ComfyUI and
 * most tools for training use, and those of DiffSynth-Studio ({@code blocks.7}). Both number the
 * parts of all blocks in one row, so the numbers follow from how many parts a U-Net's blocks have.
 */
public final class UNetNames {
  /** What a file with a whole U-Net may put before each of its names. */
  static final List<String> PREFIXES =
      List.of("", "unet.", "diffusion_model.", "model.diffusion_model.");

  private static final Map<String, String> SGM_MODULES =
      Map.of(
          "time_embedding.linear_1", "time_embed.0",
          "time_embedding.linear_2", "time_embed.2",
          "add_embedding.linear_1", "label_emb.0.0",
          "add_embedding.linear_2", "label_emb.0.2",
          "encoder_hid_proj", "encoder_hid_proj",
          "conv_in", "input_blocks.0.0",
          "conv_norm_out", "out.0",
          "conv_out", "out.2");

  private static final Map<String, String> SGM_RESNET =
      Map.of(
          "norm1", "in_layers.0",
          "conv1", "in_layers.2",
          "time_emb_proj", "emb_layers.1",
          "norm2", "out_layers.0",
          "conv2", "out_layers.3",
          "conv_shortcut", "skip_connection");

  /** The names of parts, such as {@code down_blocks.1.attentions.0}. */
  private final Map<String, String> sgm = new LinkedHashMap<>();

  private final Map<String, String> diffSynth = new LinkedHashMap<>();
  private final Set<String> parts = new HashSet<>();

  private UNetNames(Collection<String> names) {
    for (String name : names) {
      for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
        parts.add(name.substring(0, dot));
      }
    }
    int sgmIndex = 1; // after conv_in
    int index = 0;
    for (int block = 0; parts.contains("down_blocks." + block); block++) {
      String prefix = "down_blocks." + block;
      for (int layer = 0; parts.contains(prefix + ".resnets." + layer); layer++, sgmIndex++) {
        put(prefix + ".resnets." + layer, "input_blocks." + sgmIndex + ".0", index++);
        if (parts.contains(prefix + ".attentions." + layer)) {
          put(prefix + ".attentions." + layer, "input_blocks." + sgmIndex + ".1", index++);
        }
        index++; // the residual is kept
      }
      if (parts.contains(prefix + ".downsamplers.0")) {
        put(prefix + ".downsamplers.0.conv", "input_blocks." + sgmIndex++ + ".0.op", index++);
        index++;
      }
    }
    put("mid_block.resnets.0", "middle_block.0", index++);
    put("mid_block.attentions.0", "middle_block.1", index++);
    put("mid_block.resnets.1", "middle_block.2", index++);
    sgmIndex = 0;
    for (int block = 0; parts.contains("up_blocks." + block); block++) {
      String prefix = "up_blocks." + block;
      for (int layer = 0; parts.contains(prefix + ".resnets." + layer); layer++, sgmIndex++) {
        index++; // the residual is taken
        put(prefix + ".resnets." + layer, "output_blocks." + sgmIndex + ".0", index++);
        boolean attends = parts.contains(prefix + ".attentions." + layer);
        if (attends) {
          put(prefix + ".attentions." + layer, "output_blocks." + sgmIndex + ".1", index++);
        }
        boolean last = !parts.contains(prefix + ".resnets." + (layer + 1));
        if (last && parts.contains(prefix + ".upsamplers.0")) {
          String of = "output_blocks." + sgmIndex + (attends ? ".2.conv" : ".1.conv");
          put(prefix + ".upsamplers.0.conv", of, index++);
        }
      }
    }
  }

  private void put(String part, String ofSgm, int ofDiffSynth) {
    sgm.put(part, ofSgm);
    diffSynth.put(part, "blocks." + ofDiffSynth);
  }

  /**
   * The names for a U-Net of some structure.
   *
   * @param parameters what it has, as {@link UNet2DConditionModel#parameters} tells
   * @return the names
   */
  public static UNetNames of(List<Parameter> parameters) {
    return new UNetNames(parameters.stream().map(Parameter::name).toList());
  }

  /**
   * The name in files of Stability's layout.
   *
   * @param name diffusers' name of a module or a parameter, as {@code
   *     down_blocks.1.attentions.0.proj_in.weight}
   * @return as {@code input_blocks.4.1.proj_in.weight}, without {@code model.diffusion_model.};
   *     empty for a name that no part of the U-Net has
   */
  public Optional<String> sgm(String name) {
    for (Map.Entry<String, String> module : SGM_MODULES.entrySet()) {
      if (below(name, module.getKey())) {
        return Optional.of(module.getValue() + name.substring(module.getKey().length()));
      }
    }
    return partOf(name).map(part -> sgm.get(part) + ofResnet(part, name.substring(part.length())));
  }

  private static String ofResnet(String part, String rest) {
    if (!part.contains(".resnets.") || rest.isEmpty()) {
      return rest;
    }
    int end = rest.indexOf('.', 1);
    String layer = end < 0 ? rest.substring(1) : rest.substring(1, end);
    return "." + SGM_RESNET.getOrDefault(layer, layer) + (end < 0 ? "" : rest.substring(end));
  }

  /**
   * The name in files of DiffSynth-Studio, which has such of the blocks' parts alone.
   *
   * @param name diffusers' name of a module or a parameter
   * @return as {@code blocks.7.proj_in.weight}; empty for what is in no block
   */
  public Optional<String> diffSynth(String name) {
    return partOf(name).map(part -> diffSynth.get(part) + name.substring(part.length()));
  }

  private Optional<String> partOf(String name) {
    String part = name;
    while (!sgm.containsKey(part)) {
      int dot = part.lastIndexOf('.');
      if (dot < 0) {
        return Optional.empty();
      }
      part = part.substring(0, dot);
    }
    return Optional.of(part);
  }

  private static boolean below(String name, String module) {
    return name.startsWith(module)
        && (name.length() == module.length() || name.charAt(module.length()) == '.');
  }
}
