package io.github.kolors4j.estimate;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.clip.CLIPVisionConfig;
import io.github.kolors4j.clip.CLIPVisionModel;
import io.github.kolors4j.controlnet.ControlNetConfig;
import io.github.kolors4j.controlnet.ControlNetModel;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Multiply-adds that the definition of a model asks for, counted from its tensors: each matrix or
 * filter is applied once to every position of the level that its name tells, and each attention
 * multiplies queries with keys and weights with values. How a kernel saves some, as Winograd's
 * does, changes nothing; norms, activations and sums are not counted, here as elsewhere.
 *
 * @param step multiply-adds of each forward pass
 * @param prompt multiply-adds that depend on the prompt alone, so that once a request is enough
 */
public record NominalWork(Kinds step, Kinds prompt) {
  private static final Pattern LEVEL =
      Pattern.compile("(?:decoder\\.)?(down|up)_blocks\\.(\\d+)\\.(\\w+).*");
  private static final Pattern CONTROLNET =
      Pattern.compile(
          "controlnet_(?:cond_embedding\\.(?:blocks\\.(?<block>\\d+)|conv_(?<end>in|out))"
              + "|down_blocks\\.(?<residual>\\d+)|mid_block)\\.weight");
  private static final int MAX_HALVINGS = 32;
  private static final String SELF_ATTENTION = "attn1.to_q.weight";
  private static final String CROSS_ATTENTION = "attn2.to_q.weight";

  /**
   * Multiply-adds by what multiplies, as each kind has a speed of its own.
   *
   * @param products matrices times activations
   * @param convolutions filters of 3×3
   * @param attention queries with keys, and weights with values
   */
  public record Kinds(long products, long convolutions, long attention) {
    /** No work. */
    public static final Kinds NONE = new Kinds(0, 0, 0);

    /**
     * All kinds together.
     *
     * @return multiply-adds
     */
    public long total() {
      return products + convolutions + attention;
    }

    /**
     * This work and more.
     *
     * @param other what is added
     * @return the sum
     */
    public Kinds plus(Kinds other) {
      return new Kinds(
          Math.addExact(products, other.products),
          Math.addExact(convolutions, other.convolutions),
          Math.addExact(attention, other.attention));
    }

    /**
     * This work several times.
     *
     * @param n how often
     * @return the product
     */
    public Kinds times(long n) {
      return new Kinds(
          Math.multiplyExact(products, n),
          Math.multiplyExact(convolutions, n),
          Math.multiplyExact(attention, n));
    }
  }

  /**
   * Of each forward pass.
   *
   * @return multiply-adds
   */
  public long perStep() {
    return step.total();
  }

  /**
   * Of what depends on the prompt alone.
   *
   * @return multiply-adds
   */
  public long perPrompt() {
    return prompt.total();
  }

  /**
   * Of both together, as a reference without a memory of the prompt computes it.
   *
   * @return floating-point operations, two a multiply-add
   */
  public double flop() {
    return 2.0 * (perStep() + perPrompt());
  }

  /**
   * Of a step whose prompt was prepared.
   *
   * @return floating-point operations, two a multiply-add
   */
  public double stepFlop() {
    return 2.0 * perStep();
  }

  /** A grid of latent cells or pixels. */
  private record Grid(long height, long width) {
    long cells() {
      return Math.multiplyExact(height, width);
    }

    Grid halved(int times) {
      Grid grid = this;
      for (int i = 0; i < times; i++) {
        grid = new Grid((grid.height + 1) / 2, (grid.width + 1) / 2);
      }
      return grid;
    }

    Grid doubled(int times) {
      return new Grid(height << times, width << times);
    }
  }

  private static Kinds filter(Parameter weight, long positions) {
    long work = Math.multiplyExact(weight.size(), positions);
    boolean matrix = weight.shape().size() == 2 || weight.shape().getLast() == 1;
    return matrix ? new Kinds(work, 0, 0) : new Kinds(0, work, 0);
  }

  private static boolean multiplies(Parameter parameter) {
    return parameter.name().endsWith(".weight") && parameter.shape().size() > 1;
  }

  /**
   * A forward pass of the U-Net.
   *
   * @param config its configuration
   * @param latentHeight height of the latents
   * @param latentWidth width of the latents
   * @param tokens of the text
   * @return for one sample
   */
  public static NominalWork unet(
      UNet2DConditionConfig config, int latentHeight, int latentWidth, int tokens) {
    int last = config.blockOutChannels().size() - 1;
    return unet(
        UNet2DConditionModel.parameters(config), last, new Grid(latentHeight, latentWidth), tokens);
  }

  /**
   * A forward pass of a ControlNet. Its picture, which is looked at once, counts to what depends on
   * the prompt alone.
   *
   * @param config its configuration
   * @param latentHeight height of the latents
   * @param latentWidth width of the latents
   * @param tokens of the text
   * @return for one sample
   */
  public static NominalWork controlNet(
      ControlNetConfig config, int latentHeight, int latentWidth, int tokens) {
    List<Parameter> parameters = ControlNetModel.parameters(config);
    List<Parameter> ofHalf =
        parameters.stream().filter(each -> !each.name().startsWith("controlnet_")).toList();
    Grid latents = new Grid(latentHeight, latentWidth);
    int last = config.encoder().blockOutChannels().size() - 1;
    NominalWork half = unet(ofHalf, last, latents, tokens);
    Kinds residuals = Kinds.NONE;
    Kinds picture = Kinds.NONE;
    List<Shape> shapes = config.encoder().residuals(Shape.of(1, latentHeight, latentWidth, 1));
    for (Parameter parameter : parameters) {
      if (ofHalf.contains(parameter) || !multiplies(parameter)) {
        continue;
      }
      Matcher matcher = CONTROLNET.matcher(parameter.name());
      if (!matcher.matches()) {
        throw new IllegalStateException("[estimate] " + parameter.name() + " is not counted.");
      }
      if (matcher.group("block") != null) {
        int block = Integer.parseInt(matcher.group("block"));
        picture = picture.plus(filter(parameter, doubled(latents, config, (block + 1) / 2)));
      } else if (matcher.group("end") != null) {
        int halvings = matcher.group("end").equals("in") ? 0 : MAX_HALVINGS;
        picture = picture.plus(filter(parameter, doubled(latents, config, halvings)));
      } else {
        String residual = matcher.group("residual");
        Shape shape = residual == null ? shapes.getLast() : shapes.get(Integer.parseInt(residual));
        residuals = residuals.plus(filter(parameter, (long) shape.dim(1) * shape.dim(2)));
      }
    }
    return new NominalWork(half.step.plus(residuals), half.prompt.plus(picture));
  }

  /** Positions of the picture after some of the halvings that bring it to the latents' size. */
  private static long doubled(Grid latents, ControlNetConfig config, int halvings) {
    int all = config.conditioningEmbeddingOutChannels().size() - 1;
    return latents.doubled(all - Math.min(halvings, all)).cells();
  }

  private static NominalWork unet(List<Parameter> parameters, int last, Grid latents, int tokens) {
    Kinds step = Kinds.NONE;
    Kinds prompt = Kinds.NONE;
    for (Parameter parameter : parameters) {
      String name = parameter.name();
      if (!multiplies(parameter)) {
        continue;
      }
      if (name.startsWith("add_embedding")) {
        prompt = prompt.plus(filter(parameter, 1));
      } else if (name.startsWith("encoder_hid_proj")
          || name.contains("attn2.to_k")
          || name.contains("attn2.to_v")) {
        prompt = prompt.plus(filter(parameter, tokens));
      } else if (name.startsWith("time_embedding") || name.contains("time_emb_proj")) {
        step = step.plus(filter(parameter, 1));
      } else {
        long cells = latents.halved(unetLevel(name, last)).cells();
        step = step.plus(filter(parameter, cells));
        long d = parameter.shape().getFirst();
        if (name.endsWith(SELF_ATTENTION)) {
          step = step.plus(attention(cells, cells, d));
        } else if (name.endsWith(CROSS_ATTENTION)) {
          step = step.plus(attention(cells, tokens, d));
        }
      }
    }
    return new NominalWork(step, prompt);
  }

  /** How often the latents have been halved where a layer's output is. */
  private static int unetLevel(String name, int last) {
    Matcher matcher = LEVEL.matcher(name);
    if (!matcher.matches()) {
      return name.startsWith("mid_block") ? last : 0;
    }
    int index = Integer.parseInt(matcher.group(2));
    return switch (matcher.group(3)) {
      case "downsamplers" -> index + 1;
      case "upsamplers" -> last - index - 1;
      default -> matcher.group(1).equals("down") ? index : last - index;
    };
  }

  private static Kinds attention(long queries, long keys, long width) {
    return new Kinds(0, 0, 2 * Math.multiplyExact(Math.multiplyExact(queries, keys), width));
  }

  /**
   * A decode of the VAE.
   *
   * @param config its configuration
   * @param latentHeight height of the latents
   * @param latentWidth width of the latents
   * @return for one sample
   */
  public static NominalWork vae(AutoencoderKLConfig config, int latentHeight, int latentWidth) {
    Grid latents = new Grid(latentHeight, latentWidth);
    int last = config.blockOutChannels().size() - 1;
    Kinds work = Kinds.NONE;
    for (Parameter parameter : AutoencoderKL.parameters(config)) {
      String name = parameter.name();
      boolean decodes = name.startsWith("decoder.") || name.startsWith("post_quant_conv.");
      if (!decodes || !multiplies(parameter)) {
        continue;
      }
      long cells = latents.doubled(vaeLevel(name, last)).cells();
      work = work.plus(filter(parameter, cells));
      if (name.endsWith("to_q.weight")) {
        work = work.plus(attention(cells, cells, parameter.shape().getFirst()));
      }
    }
    return new NominalWork(work, Kinds.NONE);
  }

  /** How often the latents have been doubled where a layer's output is. */
  private static int vaeLevel(String name, int last) {
    Matcher matcher = LEVEL.matcher(name);
    if (!matcher.matches()) {
      return name.startsWith("decoder.conv_out") ? last : 0;
    }
    int index = Integer.parseInt(matcher.group(2));
    return matcher.group(3).equals("upsamplers") ? index + 1 : index;
  }

  /**
   * A run of an image encoder, without its last layer.
   *
   * @param config its configuration
   * @return for one image
   */
  public static NominalWork image(CLIPVisionConfig config) {
    int tokens = config.tokens();
    String last = "vision_model.encoder.layers." + (config.numHiddenLayers() - 1) + ".";
    Kinds work =
        attention(tokens, tokens, config.hiddenSize()).times(config.numHiddenLayers() - 1L);
    for (Parameter parameter : CLIPVisionModel.parameters(config)) {
      String name = parameter.name();
      boolean layer = name.startsWith("vision_model.encoder.layers.") && !name.startsWith(last);
      if (multiplies(parameter) && layer) {
        work = work.plus(filter(parameter, tokens));
      } else if (name.endsWith("patch_embedding.weight")) {
        work = work.plus(new Kinds(parameter.size() * (tokens - 1L), 0, 0));
      }
    }
    return new NominalWork(work, Kinds.NONE);
  }

  /**
   * A run of the text encoder, the last layer whole.
   *
   * @param config its configuration
   * @param tokens of the prompt, with its padding
   * @return for one prompt
   */
  public static NominalWork text(ChatGlmConfig config, int tokens) {
    long width = (long) config.numAttentionHeads() * config.kvChannels();
    Kinds work = attention(tokens, tokens, width).times(config.numLayers());
    List<Parameter> parameters = ChatGlmModel.parameters(config);
    for (Parameter parameter : parameters) {
      if (multiplies(parameter) && parameter.name().startsWith("encoder.layers.")) {
        work = work.plus(filter(parameter, tokens));
      }
    }
    return new NominalWork(work, Kinds.NONE);
  }
}
