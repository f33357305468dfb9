package io.github.kolors4j.ipadapter;

import io.github.kolors4j.checkpoint.Library;
import io.github.kolors4j.checkpoint.ModelClass;
import io.github.kolors4j.checkpoint.ModelFiles;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.checkpoint.PretrainedModel;
import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.unet.ImageProjections;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An adapter's weights: what makes tokens of an image, and how each cross-attention of the U-Net
 * looks at them.
 *
 * <p>Immutable, and usable from several threads, each with a workspace of its own; closing it
 * unmaps its weights.
 */
public final class IpAdapterModel extends PretrainedModel<IpAdapterConfig> {
  private static final String COMPONENT = "ip-adapter";

  private static final ModelClass<IpAdapterConfig, IpAdapterModel> CLASS =
      new ModelClass<>(
          COMPONENT,
          Library.DIFFUSERS,
          json -> {
            throw json.fault("_class_name", "an adapter has no configuration");
          },
          IpAdapterModel::new);

  private final @Nullable Weight latents;
  private final @Nullable PerceiverResampler resampler;
  private final @Nullable FaceProjection face;
  private final ImageProjections projections;

  private IpAdapterModel(IpAdapterConfig config, ModelFiles files) {
    super(config, files);
    Weights weights = files.weights();
    Weights imageProj = weights.at(IpAdapterConfig.IMAGE_PROJ);
    if (config.kind() == IpAdapter.Kind.PLUS) {
      latents = imageProj.weight("latents", 1, config.tokens(), config.resampler().dim());
      resampler = PerceiverResampler.load(imageProj, config.resampler());
      face = null;
      projections = ImageProjections.load(weights.at("ip_adapter"), config.unet());
    } else {
      latents = null;
      resampler = null;
      face = FaceProjection.load(imageProj, config);
      projections = ImageProjections.load(weights.at("adapter_modules"), config.unet());
    }
  }

  /**
   * An adapter over tensors that are open.
   *
   * @param source its tensors, closed with the model
   * @param unet the configuration of the U-Net that it is for
   * @return the model
   * @throws InvalidFileException if it is no adapter, or one for another U-Net; the source stays
   *     open
   */
  public static IpAdapterModel of(TensorSource source, UNet2DConditionConfig unet)
      throws InvalidFileException {
    return CLASS.of(IpAdapterConfig.of(source, unet), source);
  }

  /**
   * The tensors of an adapter's file: names and shapes, in PyTorch's order.
   *
   * @param config its sizes
   * @return all that the class defines
   */
  public static List<Parameter> parameters(IpAdapterConfig config) {
    return CLASS.parameters(config);
  }

  /**
   * What it takes.
   *
   * @return images alone, or a face
   */
  public IpAdapter.Kind kind() {
    return config().kind();
  }

  /**
   * How many tokens an image becomes.
   *
   * @return 16 for Kolors-IP-Adapter-Plus, 6 for FaceID-Plus
   */
  public int tokens() {
    return config().tokens();
  }

  /**
   * The width of the image encoder that it was made for.
   *
   * @return 1024 for CLIP ViT-L/14
   */
  public int embedDim() {
    return config().resampler().embedDim();
  }

  /**
   * The width of a face's embedding.
   *
   * @return 512; 0 where it takes none
   */
  public int faceDim() {
    return config().faceDim();
  }

  /**
   * The U-Net's keys and values of the tokens.
   *
   * @return a pair for each cross-attention
   */
  public ImageProjections projections() {
    return projections;
  }

  /**
   * The tokens of images.
   *
   * @param imageEmbeds what the image encoder gives {@code [n, s, embedDim]}
   * @return {@code [n, tokens, crossAttentionDim]}
   * @throws IllegalStateException if it takes faces
   */
  public Tensor tokensOf(Tensor imageEmbeds) {
    if (resampler == null || latents == null) {
      throw new IllegalStateException("[ip-adapter] it takes faces, not images alone.");
    }
    Workspace workspace = imageEmbeds.workspace();
    try (var scope = workspace.scope()) {
      int n = imageEmbeds.dim(0);
      float[] one = latents.toFloats();
      Tensor queries = workspace.tensor(n, tokens(), config().resampler().dim());
      for (int i = 0; i < n; i++) {
        System.arraycopy(one, 0, queries.data(), i * one.length, one.length);
      }
      return scope.keep(resampler.forward(queries, imageEmbeds));
    }
  }

  /**
   * The tokens of faces, which the U-Net's projection of the text is still to be applied to.
   *
   * @param faceEmbeds what a face recognizer gives {@code [n, faceDim]}, not normalized
   * @param imageEmbeds what the image encoder gives {@code [n, s, embedDim]}
   * @return {@code [n, tokens, encoderHidDim]}
   * @throws IllegalStateException if it takes no faces
   */
  public Tensor tokensOf(Tensor faceEmbeds, Tensor imageEmbeds) {
    if (face == null) {
      throw new IllegalStateException("[ip-adapter] it takes images, not faces.");
    }
    return face.forward(faceEmbeds, imageEmbeds);
  }
}
