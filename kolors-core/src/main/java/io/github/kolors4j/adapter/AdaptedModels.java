package io.github.kolors4j.adapter;

import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.WeightAdapter;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.unet.UNet2DConditionModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A U-Net and a text encoder as adapters change them, over the same files.
 *
 * @param unet the U-Net
 * @param textEncoder the text encoder
 * @param fits what of each adapter was used
 */
public record AdaptedModels(
    UNet2DConditionModel unet, ChatGlmModel textEncoder, List<AdapterFit> fits) {
  private static final Logger LOG = LoggerFactory.getLogger(AdaptedModels.class);
  private static final int NAMED_AT_MOST = 3;

  /**
   * Two models with adapters over them.
   *
   * @param unet the U-Net that the adapters are for
   * @param textEncoder the text encoder that they are for
   * @param adapters which ones
   * @return models that cost no memory but the adapters'; a model that no adapter is for is the
   *     given one
   * @throws InvalidFileException if nothing of an adapter is for these models, or something in it
   *     has another shape than theirs
   */
  public static AdaptedModels of(
      UNet2DConditionModel unet, ChatGlmModel textEncoder, Adapters adapters)
      throws InvalidFileException {
    ModuleNames ofUnet = ModuleNames.ofUnet(UNet2DConditionModel.parameters(unet.config()));
    ModuleNames ofText =
        ModuleNames.ofTextEncoder(ChatGlmModel.parameters(textEncoder.config()));
    List<WeightAdapter> unetAdapters = new ArrayList<>();
    List<WeightAdapter> textAdapters = new ArrayList<>();
    List<AdapterFit> fits = new ArrayList<>();
    for (Adapters.Use use : adapters.uses()) {
      Adapter adapter = use.adapter();
      Map<String, Update> inUnet = ModelAdapter.updatesFor(adapter, ofUnet);
      Map<String, Update> inText = ModelAdapter.updatesFor(adapter, ofText);
      Set<String> unused = new TreeSet<>(adapter.unknown());
      for (String module : adapter.updates().keySet()) {
        if (ofUnet.find(module).isEmpty() && ofText.find(module).isEmpty()) {
          unused.add(module);
        }
      }
      fits.add(
          new AdapterFit(adapter, inUnet.size(), inText.size(), List.copyOf(unused)));
      checkThatSomethingFits(fits.getLast());
      String name = adapter.path().toString();
      if (!inUnet.isEmpty() && use.unet() != 0) {
        unetAdapters.add(new ModelAdapter(name, inUnet, use::ofUnetModule));
      }
      if (!inText.isEmpty() && use.textEncoder() != 0) {
        textAdapters.add(new ModelAdapter(name, inText, _ -> use.textEncoder()));
      }
    }
    return new AdaptedModels(
        unetAdapters.isEmpty() ? unet : unet.adapted(unetAdapters),
        textAdapters.isEmpty() ? textEncoder : textEncoder.adapted(textAdapters),
        List.copyOf(fits));
  }

  private static void checkThatSomethingFits(AdapterFit fit) throws InvalidFileException {
    List<String> unused = fit.unused();
    String some =
        String.join(", ", unused.subList(0, Math.min(NAMED_AT_MOST, unused.size())));
    if (fit.unetModules() == 0 && fit.textEncoderModules() == 0) {
      throw new InvalidFileException(
          "[adapter] %s: none of its %d modules is one of this U-Net or text encoder (first: %s; names as unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q are known). An adapter of another model?"
              .formatted(fit.adapter().path(), unused.size(), some));
    }
    if (!unused.isEmpty()) {
      LOG.warn(
          "[adapter] {}: {} modules of the U-Net and {} of the text encoder are updated; {} others are of no model here: {}{}",
          fit.adapter().path(),
          fit.unetModules(),
          fit.textEncoderModules(),
          unused.size(),
          some,
          unused.size() > NAMED_AT_MOST ? ", …" : "");
    }
  }
}
