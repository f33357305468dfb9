package io.github.kolors4j.adapter;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.checkpoint.WeightAdapter;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.json.ForeignText;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What adapters do to the weights of a U-Net and of a text encoder.
 *
 * @param unet for the U-Net's weights, in order; none where no adapter is for it
 * @param textEncoder for the text encoder's weights
 * @param fits what of each adapter is used
 */
public record ModelAdapters(
    List<WeightAdapter> unet, List<WeightAdapter> textEncoder, List<AdapterFit> fits) {
  private static final Logger LOG = LoggerFactory.getLogger(ModelAdapters.class);
  private static final int NAMED_AT_MOST = 3;

  /**
   * Finds the modules that adapters are for.
   *
   * @param unet of which structure the U-Net is
   * @param textEncoder of which structure the text encoder is; empty where it is not there
   * @param adapters which ones
   * @return what they do
   * @throws InvalidFileException if nothing of an adapter is for these models
   * @throws IllegalArgumentException if a weight is given for a block that the U-Net has not
   */
  public static ModelAdapters of(
      UNet2DConditionConfig unet, Optional<ChatGlmConfig> textEncoder, Adapters adapters)
      throws InvalidFileException {
    return of(new AdaptableModules(unet, textEncoder), adapters);
  }

  /**
   * Finds the modules that adapters are for, among those of known models.
   *
   * @param modules of the U-Net and the text encoder
   * @param adapters which ones
   * @return what they do
   * @throws InvalidFileException if nothing of an adapter is for these models
   * @throws IllegalArgumentException if a weight is given for a block that the U-Net has not
   */
  public static ModelAdapters of(AdaptableModules modules, Adapters adapters)
      throws InvalidFileException {
    ModuleNames ofUnet = modules.names().ofUnet();
    ModuleNames ofText = modules.names().ofTextEncoder();
    List<WeightAdapter> unetAdapters = new ArrayList<>();
    List<WeightAdapter> textAdapters = new ArrayList<>();
    List<AdapterFit> fits = new ArrayList<>();
    for (Adapters.Use use : adapters.uses()) {
      Adapter adapter = use.adapter();
      Map<String, Update> inUnet = ModelAdapter.updatesFor(adapter, ofUnet);
      Map<String, Update> inText = ModelAdapter.updatesFor(adapter, ofText);
      List<String> unknown = adapter.contents().unknown();
      Set<String> unused = new TreeSet<>(unknown);
      for (String module : adapter.contents().updates().keySet()) {
        if (ofUnet.find(module).isEmpty() && ofText.find(module).isEmpty()) {
          unused.add(module);
        }
      }
      fits.add(new AdapterFit(adapter, inUnet.size(), inText.size(), List.copyOf(unused)));
      checkThatSomethingFits(fits.getLast(), unknown);
      checkBlocks(use, ofUnet);
      warnOfIdleWeights(use, inUnet.keySet(), !inText.isEmpty());
      String name = adapter.path().toString();
      if (!inUnet.isEmpty() && use.unet() != 0) {
        unetAdapters.add(new ModelAdapter(name, use.identity(), inUnet, use::ofUnetModule));
      }
      if (!inText.isEmpty() && use.textEncoder() != 0) {
        textAdapters.add(new ModelAdapter(name, use.identity(), inText, _ -> use.textEncoder()));
      }
    }
    return new ModelAdapters(
        List.copyOf(unetAdapters), List.copyOf(textAdapters), List.copyOf(fits));
  }

  /** A name that nothing is below would be a weight that nobody has. */
  private static void checkBlocks(Adapters.Use use, ModuleNames unet) {
    for (String block : use.blocks().keySet()) {
      if (!unet.hasBelow(block)) {
        throw new IllegalArgumentException(
            "[adapter] %s: a weight is given for \"%s\", and this U-Net has nothing of that name: use one of %s, or what is below one, as down_blocks.1.attentions.0."
                .formatted(
                    use.adapter().path(),
                    ForeignText.oneLine(block),
                    String.join(", ", unet.blocks())));
      }
    }
  }

  /** A weight of a part that the adapter does not change was meant for another adapter. */
  private static void warnOfIdleWeights(Adapters.Use use, Set<String> inUnet, boolean hasText) {
    List<String> idle =
        new ArrayList<>(
            use.blocks().keySet().stream()
                .filter(block -> !ModuleNames.hasBelow(inUnet, block))
                .toList());
    if (!hasText && use.textEncoder() != use.unet()) {
      idle.add("text_encoder");
    }
    if (!idle.isEmpty()) {
      LOG.warn(
          "[adapter] {} has nothing for {}: the weight that is given there changes nothing",
          use.adapter().path(),
          String.join(", ", idle));
    }
  }

  private static String some(List<String> names) {
    return names.stream()
            .limit(NAMED_AT_MOST)
            .map(ForeignText::oneLine)
            .collect(Collectors.joining(", "))
        + (names.size() > NAMED_AT_MOST ? ", …" : "");
  }

  private static void checkThatSomethingFits(AdapterFit fit, List<String> unknown)
      throws InvalidFileException {
    List<String> unused = fit.unused();
    if (fit.unetModules() == 0 && fit.textEncoderModules() == 0) {
      throw new InvalidFileException(
          "[adapter] %s: nothing of it is for this U-Net or text encoder (modules: %s, first: %s; names as unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q are known). An adapter of another model?"
              .formatted(fit.adapter().path(), unused.size(), some(unused)));
    }
    List<String> elsewhere = unused.stream().filter(name -> !unknown.contains(name)).toList();
    if (!unused.isEmpty()) {
      LOG.warn(
          "[adapter] {}: modules updated: {} of the U-Net, {} of the text encoder{}{}",
          fit.adapter().path(),
          fit.unetModules(),
          fit.textEncoderModules(),
          elsewhere.isEmpty()
              ? ""
              : "; of no model here: %s (%s)".formatted(elsewhere.size(), some(elsewhere)),
          unknown.isEmpty()
              ? ""
              : "; of no kind that is read: %s (%s)".formatted(unknown.size(), some(unknown)));
    }
  }
}
