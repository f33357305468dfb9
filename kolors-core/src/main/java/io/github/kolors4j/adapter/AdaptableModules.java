package io.github.kolors4j.adapter;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNet2DConditionModel;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The modules of a U-Net and a text encoder that adapters can be for, by every name that files have
 * for them. It follows from the models' structure, so it is made once for all sets of adapters,
 * when somebody has the first.
 *
 * <p>Safe to share between threads.
 */
public final class AdaptableModules {
  private final UNet2DConditionConfig unet;
  private final Optional<ChatGlmConfig> textEncoder;
  private @Nullable Names names;

  /** The tables of both models. */
  record Names(ModuleNames ofUnet, ModuleNames ofTextEncoder) {}

  /**
   * The modules of two models.
   *
   * @param unet of which structure the U-Net is
   * @param textEncoder of which structure the text encoder is; empty where it is not there
   */
  public AdaptableModules(UNet2DConditionConfig unet, Optional<ChatGlmConfig> textEncoder) {
    this.unet = unet;
    this.textEncoder = textEncoder;
  }

  /**
   * Whether it is of models of these structures.
   *
   * @param otherUnet of which structure the U-Net is
   * @param otherTextEncoder of which structure the text encoder is
   * @return whether this is what the constructor would make of them
   */
  public boolean areOf(UNet2DConditionConfig otherUnet, Optional<ChatGlmConfig> otherTextEncoder) {
    return unet.equals(otherUnet) && textEncoder.equals(otherTextEncoder);
  }

  synchronized Names names() {
    Names known = names;
    if (known == null) {
      known =
          new Names(
              ModuleNames.ofUnet(UNet2DConditionModel.parameters(unet)),
              ModuleNames.ofTextEncoder(
                  textEncoder.map(ChatGlmModel::parameters).orElse(List.of())));
      names = known;
    }
    return known;
  }
}
