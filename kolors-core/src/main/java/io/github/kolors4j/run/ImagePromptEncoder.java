package io.github.kolors4j.run;

import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.clip.CLIPVisionModel;
import io.github.kolors4j.components.Components;
import io.github.kolors4j.image.CLIPImageProcessor;
import io.github.kolors4j.image.IPAdapterMaskProcessor;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.ipadapter.IpAdapterModel;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.request.ImageEmbeds;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.unet.AttentionMask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * From the images of a request to what the U-Net reads beside the text; diffusers' {@code
 * prepare_ip_adapter_image_embeds} and its projection.
 *
 * @param components the adapters, and what remembers embeddings
 */
public record ImagePromptEncoder(Components components) {

  /**
   * Opens what a request needs, and refuses what cannot be.
   *
   * @throws IllegalArgumentException if an adapter cannot be opened or is for another model, or
   *     what it is given does not fit
   */
  void check(ImageRequest request) {
    for (ImagePrompt prompt : request.imagePrompts()) {
      if (!prompt.isNone()) {
        check(prompt);
      }
    }
  }

  private void check(ImagePrompt prompt) {
    IpAdapterModel model = model(prompt);
    if (prompt.embeds().isPresent()) {
      ImageEmbeds embeds = prompt.embeds().get();
      checkWidth(prompt.adapter(), embeds.imageEmbeds().shape().dim(2), model.embedDim());
      requireFinite("image_embeds", embeds.imageEmbeds());
      embeds
          .negativeImageEmbeds()
          .ifPresent(negative -> requireFinite("negative_image_embeds", negative));
    }
    if (prompt.embeds().isEmpty() || needsEncoder(prompt)) {
      CLIPVisionModel encoder = components.imageAdapters().encoder(prompt.adapter());
      checkWidth(prompt.adapter(), encoder.config().hiddenSize(), model.embedDim());
    }
    if (prompt.faceEmbedding().isPresent()) {
      FloatArray face = prompt.faceEmbedding().get();
      if (face.shape().size() != model.faceDim()) {
        throw new IllegalArgumentException(
            "[request] the face's embedding has %s values: %s takes %s."
                .formatted(face.shape().size(), prompt.adapter(), model.faceDim()));
      }
      requireFinite("face's embedding", face);
    }
  }

  private static boolean needsEncoder(ImagePrompt prompt) {
    return prompt.adapter().kind() == IpAdapter.Kind.PLUS
        && prompt.embeds().flatMap(ImageEmbeds::negativeImageEmbeds).isEmpty()
        && prompt.adapter().imageEncoder().isPresent();
  }

  private static void checkWidth(IpAdapter adapter, int given, int needed) {
    if (given != needed) {
      throw new IllegalArgumentException(
          "[request] images are encoded to a width of %s, and %s was made for %s: use its own image encoder."
              .formatted(given, adapter, needed));
    }
  }

  private static void requireFinite(String what, FloatArray values) {
    String other = Finite.other(values);
    if (other != null) {
      throw new IllegalArgumentException(
          "[request] the %s hold %s: only finite numbers make a picture.".formatted(what, other));
    }
  }

  private IpAdapterModel model(ImagePrompt prompt) {
    return components.imageAdapters().model(prompt.adapter(), components.unet().config());
  }

  /** All image prompts that count somewhere. */
  List<EncodedImagePrompt> encode(ResolvedRequest request) {
    List<EncodedImagePrompt> encoded = new ArrayList<>();
    for (ImagePrompt prompt : request.request().imagePrompts()) {
      if (!prompt.isNone()) {
        encoded.addAll(encode(prompt, request));
      }
    }
    return encoded;
  }

  private List<EncodedImagePrompt> encode(ImagePrompt prompt, ResolvedRequest request) {
    IpAdapterModel model = model(prompt);
    boolean guided = request.doClassifierFreeGuidance();
    FloatArray images = images(prompt);
    List<float[]> tokens = tokens(prompt, model, images);
    List<float[]> negative = guided ? negativeTokens(prompt, model, images) : tokens;
    if (prompt.masks().isEmpty()) {
      // one softmax over the tokens of all images
      return List.of(
          new EncodedImagePrompt(
              prompt, model, joined(tokens), joined(negative), Optional.empty()));
    }
    List<EncodedImagePrompt> each = new ArrayList<>();
    for (int i = 0; i < prompt.count(); i++) {
      float[] mask =
          IPAdapterMaskProcessor.preprocess(
              prompt.masks().get(i), request.width(), request.height());
      each.add(
          new EncodedImagePrompt(
              prompt,
              model,
              tokens.get(i),
              negative.get(i),
              Optional.of(AttentionMask.of(mask, request.height(), request.width()))));
    }
    return each;
  }

  private static float[] joined(List<float[]> parts) {
    float[] all = new float[parts.size() * parts.getFirst().length];
    for (int i = 0; i < parts.size(); i++) {
      System.arraycopy(parts.get(i), 0, all, i * parts.getFirst().length, parts.getFirst().length);
    }
    return all;
  }

  /** The tokens of each image. */
  private List<float[]> tokens(ImagePrompt prompt, IpAdapterModel model, FloatArray images) {
    return each(images, hidden -> tokens(model, hidden, prompt.faceEmbedding()));
  }

  /**
   * Images are held against what the encoder makes of zeros, faces against zeros in the place of
   * what it makes.
   */
  private List<float[]> negativeTokens(
      ImagePrompt prompt, IpAdapterModel model, FloatArray images) {
    if (prompt.faceEmbedding().isPresent()) {
      Optional<FloatArray> noFace = Optional.of(prompt.faceEmbedding().get().zeros());
      return each(images.zeros(), hidden -> tokens(model, hidden, noFace));
    }
    FloatArray negative = negativeImages(prompt, images.shape().dim(0));
    return each(negative, hidden -> tokens(model, hidden, Optional.empty()));
  }

  private static float[] tokens(IpAdapterModel model, Tensor hidden, Optional<FloatArray> face) {
    if (face.isEmpty()) {
      return model.tokensOf(hidden).toArray();
    }
    float[] embedding = face.get().values();
    Tensor row = hidden.workspace().copyOf(embedding, 1, embedding.length);
    return model.tokensOf(row, hidden).toArray();
  }

  /** One image after another, each {@code [1, s, d]}; equal ones once. */
  private List<float[]> each(FloatArray images, Function<Tensor, float[]> tokens) {
    List<float[]> all = new ArrayList<>();
    @Nullable FloatArray before = null;
    for (int i = 0; i < images.shape().dim(0); i++) {
      FloatArray one = images.row(i);
      if (before != null && one.equals(before)) {
        all.add(all.getLast());
        continue;
      }
      try (var _ = components.threads().turn();
          Workspace workspace = components.workspace()) {
        all.add(tokens.apply(workspace.copyOf(one.values(), one.shape().dims())));
      }
      before = one;
    }
    return all;
  }

  /**
   * The images of a prompt as its encoder sees them.
   *
   * @param prompt images, or their embeddings
   * @return with what they are held against
   * @throws IllegalArgumentException if the adapter cannot be opened or has no encoder
   */
  public ImageEmbeds embeds(ImagePrompt prompt) {
    check(prompt);
    FloatArray images = images(prompt);
    Optional<FloatArray> negative =
        prompt.faceEmbedding().isPresent()
            ? Optional.empty()
            : Optional.of(negativeImages(prompt, images.shape().dim(0)));
    return new ImageEmbeds(images, negative);
  }

  /** {@code [images, s, d]}. */
  private FloatArray images(ImagePrompt prompt) {
    if (prompt.embeds().isPresent()) {
      return prompt.embeds().get().imageEmbeds();
    }
    CLIPVisionModel encoder = components.imageAdapters().encoder(prompt.adapter());
    int size = encoder.config().imageSize();
    List<FloatArray> all = new ArrayList<>();
    for (KolorsImage image : prompt.images()) {
      KolorsImage seen = CLIPImageProcessor.crop(image, size);
      String pixels = Identity.of(seen.rgb());
      all.add(
          remembered(
              encoder, pixels, workspace -> CLIPImageProcessor.preprocess(workspace, seen, size)));
    }
    return stacked(all);
  }

  private FloatArray negativeImages(ImagePrompt prompt, int count) {
    Optional<FloatArray> given = prompt.embeds().flatMap(ImageEmbeds::negativeImageEmbeds);
    if (given.isPresent()) {
      return given.get();
    }
    CLIPVisionModel encoder = components.imageAdapters().encoder(prompt.adapter());
    int size = encoder.config().imageSize();
    FloatArray one =
        remembered(
            encoder,
            "zeros",
            workspace -> {
              Tensor zeros = workspace.tensor(1, size, size, encoder.config().numChannels());
              Arrays.fill(zeros.data(), 0, zeros.shape().size(), 0);
              return zeros;
            });
    return stacked(Collections.nCopies(count, one));
  }

  /** {@code [1, s, d]} of a picture, from the cache where it is there. */
  private FloatArray remembered(
      CLIPVisionModel encoder, String pixels, Function<Workspace, Tensor> picture) {
    Optional<PromptCache> cache = components.promptCache();
    String key =
        cache.isPresent()
            ? PromptCache.imageKey(pixels, encoder.identity(), components.products())
            : "";
    Optional<FloatArray> known = cache.flatMap(each -> each.findImage(key));
    if (known.isPresent()) {
      return known.get();
    }
    try (var _ = components.threads().turn();
        Workspace workspace = components.workspace()) {
      Tensor hidden = encoder.hiddenStates(picture.apply(workspace));
      FloatArray made = FloatArray.wrap(hidden.toArray(), hidden.shape().dims());
      cache.ifPresent(each -> each.rememberImage(key, made));
      return made;
    }
  }

  private static FloatArray stacked(List<FloatArray> each) {
    int[] dims = each.getFirst().shape().dims();
    int length = each.getFirst().shape().size();
    dims[0] = each.size();
    float[] all = new float[each.size() * length];
    for (int i = 0; i < each.size(); i++) {
      each.get(i).copyTo(0, all, i * length, length);
    }
    return FloatArray.wrap(all, dims);
  }
}
