package io.github.kolors4j.ipadapter;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import java.util.List;

/**
 * What an adapter's file, which has no configuration, is by its names and shapes.
 *
 * @param kind what it takes
 * @param tokens how many an image becomes
 * @param resampler sizes of the resampler
 * @param faceDim width of a face's embedding; 0 where it takes none
 * @param faceHiddenDim width within the projection of a face's embedding; 0 where it takes none
 * @param unet the U-Net that looks at its tokens
 */
public record IpAdapterConfig(
    IpAdapter.Kind kind,
    int tokens,
    ResamplerSize resampler,
    int faceDim,
    int faceHiddenDim,
    UNet2DConditionConfig unet) {
  private static final int MAX = 1 << 20;
  private static final int MAX_LAYERS = 64;

  static final String IMAGE_PROJ = "image_proj";
  private static final String FACE_RESAMPLER = IMAGE_PROJ + ".perceiver_resampler";

  /**
   * Looks at a file.
   *
   * @param file open tensors
   * @param unet the U-Net that is to look at its tokens
   * @return what it is
   * @throws InvalidFileException if it is no adapter of a known kind, or one for another U-Net
   */
  public static IpAdapterConfig of(TensorSource file, UNet2DConditionConfig unet)
      throws InvalidFileException {
    IpAdapter.Kind kind = kind(file);
    boolean face = kind == IpAdapter.Kind.FACE_ID_PLUS;
    String resampler = face ? FACE_RESAMPLER : IMAGE_PROJ;
    int depth = 0;
    while (depth < MAX_LAYERS
        && file.find(resampler + ".layers." + depth + ".0.to_q.weight").isPresent()) {
      depth++;
    }
    int dim = extent(file, resampler + ".proj_in.weight", 0);
    int inner = extent(file, resampler + ".layers.0.0.to_q.weight", 0);
    if (inner % PerceiverAttention.HEAD_WIDTH != 0) {
      throw fault(
          file,
          "its attentions are %s wide: a multiple of %s is needed."
              .formatted(inner, PerceiverAttention.HEAD_WIDTH));
    }
    ResamplerSize size =
        new ResamplerSize(
            extent(file, resampler + ".proj_in.weight", 1),
            dim,
            depth,
            inner / PerceiverAttention.HEAD_WIDTH,
            extent(file, resampler + ".layers.0.1.1.weight", 0),
            extent(file, resampler + ".proj_out.weight", 0));
    int width = face ? unet.encoderHidDim() : unet.encoder().crossAttentionDim();
    if (size.outputDim() != width) {
      throw fault(
          file,
          "its tokens are %s wide, and this U-Net's are %s: it is for another model."
              .formatted(size.outputDim(), width));
    }
    if (!face) {
      int tokens = extent(file, IMAGE_PROJ + ".latents", 1);
      return new IpAdapterConfig(kind, tokens, size, 0, 0, unet);
    }
    int all = extent(file, IMAGE_PROJ + ".proj.2.weight", 0);
    return new IpAdapterConfig(
        kind,
        Math.max(1, all / dim),
        size,
        extent(file, IMAGE_PROJ + ".proj.0.weight", 1),
        extent(file, IMAGE_PROJ + ".proj.0.weight", 0),
        unet);
  }

  static IpAdapter.Kind kind(TensorSource file) throws InvalidFileException {
    if (file.find(FACE_RESAMPLER + ".proj_in.weight").isPresent()) {
      return IpAdapter.Kind.FACE_ID_PLUS;
    }
    if (file.find(IMAGE_PROJ + ".latents").isPresent()) {
      return IpAdapter.Kind.PLUS;
    }
    throw fault(
        file,
        "it has neither image_proj.latents nor image_proj.perceiver_resampler: an IP-Adapter-Plus"
            + " or an IP-Adapter-FaceID-Plus is needed.");
  }

  private static int extent(TensorSource file, String name, int axis) throws InvalidFileException {
    List<Long> shape = file.find(name).map(TensorInfo::shape).orElse(List.of());
    if (shape.size() <= axis || shape.get(axis) < 1 || shape.get(axis) > MAX) {
      throw fault(
          file,
          shape.isEmpty()
              ? "%s is missing.".formatted(name)
              : "%s has the shape %s.".formatted(name, shape));
    }
    return Math.toIntExact(shape.get(axis));
  }

  private static InvalidFileException fault(TensorSource file, String what) {
    return new InvalidFileException("[ip-adapter] %s: %s".formatted(file.path(), what));
  }
}
