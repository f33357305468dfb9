package io.github.kolors4j.components;

import io.github.kolors4j.adapter.AdaptableModules;
import io.github.kolors4j.adapter.AdapterFit;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.adapter.ModelAdapters;
import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tokenizer.ChatGlmTokenizer;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import io.github.kolors4j.vae.AutoencoderTinyConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What requests compute with.
 *
 * @param forceZerosForEmptyPrompt as in {@link ModelIndex}
 * @param promptCache where encoded prompts are remembered, if anywhere
 * @param tinyVae for previews, perhaps also in the place of the VAE
 * @param imageAdapters those that requests have used
 * @param controlNets those that requests have used
 * @param adaptable what of the models adapters can be for
 */
public record Components(
    ChatGlmTokenizer tokenizer,
    TextEncoder textEncoder,
    UNet2DConditionModel unet,
    AutoencoderKL vae,
    boolean forceZerosForEmptyPrompt,
    ThreadPool threads,
    Optional<PromptCache> promptCache,
    Products products,
    Optional<TinyVae> tinyVae,
    ImageAdapters imageAdapters,
    ControlNets controlNets,
    AdaptableModules adaptable) {
  private static final int RGB = 3;

  /** Where a part of a request is computed; to be closed. */
  public Workspace workspace() {
    return new Workspace(threads, products);
  }

  /** The sizes of the tiny autoencoder, where it takes the place of the VAE. */
  public Optional<AutoencoderTinyConfig> tinyInPlaceOfVae() {
    return tinyVae.filter(TinyVae::replacesVae).map(tiny -> tiny.model().config());
  }

  /** These components, with what one of the methods below gives them in the place of its own. */
  private Components copy(
      ChatGlmTokenizer tokenizer,
      TextEncoder textEncoder,
      UNet2DConditionModel unet,
      AutoencoderKL vae,
      ThreadPool threads,
      Optional<TinyVae> tinyVae) {
    return new Components(
        tokenizer,
        textEncoder,
        unet,
        vae,
        forceZerosForEmptyPrompt,
        threads,
        promptCache,
        products,
        tinyVae,
        imageAdapters,
        controlNets,
        adaptable.areOf(unet.config(), textEncoder.config())
            ? adaptable
            : new AdaptableModules(unet.config(), textEncoder.config()));
  }

  /** These components, with another tokenizer. */
  public Components with(ChatGlmTokenizer other) {
    return copy(other, textEncoder, unet, vae, threads, tinyVae);
  }

  /** These components, with another text encoder. */
  public Components with(ChatGlmModel other) {
    TextEncoder given = StoredTextEncoder.of(other);
    return copy(tokenizer, given, unet, vae, threads, tinyVae);
  }

  /** These components, with another U-Net. */
  public Components with(UNet2DConditionModel other) {
    return copy(tokenizer, textEncoder, other, vae, threads, tinyVae);
  }

  /** These components, with another VAE. */
  public Components with(AutoencoderKL other) {
    return copy(
        tokenizer,
        textEncoder,
        unet,
        other,
        threads,
        tinyVae.map(tiny -> new TinyVae(tiny.model(), false)));
  }

  /**
   * These components as adapters change their weights.
   *
   * @throws InvalidFileException if nothing of an adapter is for these models, or something of it
   *     does not fit
   */
  Components adapted(Adapters adapters) throws InvalidFileException {
    ModelAdapters chosen = ModelAdapters.of(adaptable, adapters);
    UNet2DConditionModel adapted = chosen.unet().isEmpty() ? unet : unet.adapted(chosen.unet());
    return copy(
        tokenizer, textEncoder.adapted(chosen.textEncoder()), adapted, vae, threads, tinyVae);
  }

  /**
   * What of adapters is for these models.
   *
   * @throws IllegalArgumentException if nothing of one is
   */
  public List<AdapterFit> fit(Adapters adapters) {
    try {
      return ModelAdapters.of(adaptable, adapters).fits();
    } catch (InvalidFileException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** What tells each component from others, by the name of its folder. */
  Map<String, String> identities() {
    Map<String, String> identities = new LinkedHashMap<>();
    identities.put("tokenizer", tokenizer.identity());
    identities.put("text_encoder", textEncoder.known().identity());
    identities.put("unet", unet.identity());
    identities.put(
        "vae",
        tinyVae
            .filter(TinyVae::replacesVae)
            .map(tiny -> tiny.model().identity())
            .orElseGet(vae::identity));
    return identities;
  }

  /** These components, on other threads. */
  public Components with(ThreadPool other) {
    return copy(tokenizer, textEncoder, unet, vae, other, tinyVae);
  }

  /**
   * Whether the files that the weights are read from are still all there.
   *
   * @throws InvalidFileException with the name of one that was cut short
   */
  public void requireWholeFiles() throws InvalidFileException {
    textEncoder.requireWholeFiles();
    unet.requireWholeFiles();
    vae.requireWholeFiles();
    if (tinyVae.isPresent()) {
      tinyVae.get().model().requireWholeFiles();
    }
    imageAdapters.requireWholeFiles();
    controlNets.requireWholeFiles();
  }

  /**
   * Whether the components, each whole by itself, are of one model.
   *
   * @throws InvalidFileException if two contradict each other
   */
  void checkThatTheyFit() throws InvalidFileException {
    if (tinyVae.isPresent()) {
      checkThatTheyFit(tinyVae.get().model().config(), vae.config());
    }
    if (textEncoder.config().isEmpty()) {
      return; // its files are gone, and remembered prompts fit to the U-Net or are refused there
    }
    ChatGlmConfig encoder = textEncoder.config().get();
    checkThatTheyFit(encoder, unet.config(), vae.config());
    int ids = tokenizer.vocabularySize();
    int rows = encoder.paddedVocabSize();
    if (ids > rows) {
      throw new InvalidFileException(
          "[config] the tokenizer has %s ids, and text_encoder/config.json has padded_vocab_size %s: there must be a row for each id."
              .formatted(ids, rows));
    }
  }

  /**
   * Reads all weights.
   *
   * @throws InvalidFileException with the first that is NaN or infinite
   */
  void requireFiniteWeights() throws InvalidFileException {
    vae.requireFiniteWeights();
    if (tinyVae.isPresent()) {
      tinyVae.get().model().requireFiniteWeights();
    }
    unet.requireFiniteWeights();
    textEncoder.requireFiniteWeights();
  }

  private static void checkThatTheyFit(AutoencoderTinyConfig tiny, AutoencoderKLConfig vae)
      throws InvalidFileException {
    if (tiny.scaleFactor() != vae.scaleFactor()
        || tiny.latentChannels() != vae.latentChannels()
        || tiny.outChannels() != RGB) {
      throw new InvalidFileException(
          "[config] the tiny autoencoder makes %s channels of %s latent channels at %s pixels a cell, and the VAE %s of %s at %s: they must be equal."
              .formatted(
                  tiny.outChannels(),
                  tiny.latentChannels(),
                  tiny.scaleFactor(),
                  vae.outChannels(),
                  vae.latentChannels(),
                  vae.scaleFactor()));
    }
  }

  /** How many channels the U-Net takes is a matter of the task: a request's check looks at them. */
  public static void checkThatTheyFit(
      ChatGlmConfig textEncoder, UNet2DConditionConfig unet, AutoencoderKLConfig vae)
      throws InvalidFileException {
    int hidden = textEncoder.hiddenSize();
    checkEqual("encoder_hid_dim", unet.encoderHidDim(), "hidden_size", hidden);
    checkEqual(
        "projection_class_embeddings_input_dim less the six sizes",
        unet.textEmbedDim(),
        "hidden_size",
        hidden);
    checkEqual("out_channels", unet.outChannels(), "latent_channels", vae.latentChannels());
    if (unet.inChannels() < vae.latentChannels()) {
      throw new InvalidFileException(
          "[config] unet/config.json: in_channels is %s, and vae/config.json has latent_channels %s: the U-Net must take at least the latents."
              .formatted(unet.inChannels(), vae.latentChannels()));
    }
    if (vae.outChannels() != RGB) {
      throw new InvalidFileException(
          "[config] vae/config.json: out_channels is %s; only %s, red, green and blue, make a picture."
              .formatted(vae.outChannels(), RGB));
    }
  }

  private static void checkEqual(String unetKey, int ofUnet, String key, int value)
      throws InvalidFileException {
    if (ofUnet != value) {
      throw new InvalidFileException(
          "[config] unet/config.json: %s is %s, and %s/config.json has %s %s: they must be equal."
              .formatted(
                  unetKey, ofUnet, key.equals("hidden_size") ? "text_encoder" : "vae", key, value));
    }
  }
}
