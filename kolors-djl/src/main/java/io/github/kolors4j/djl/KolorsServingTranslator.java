package io.github.kolors4j.djl;

import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.ndarray.NDList;
import ai.djl.translate.Batchifier;
import ai.djl.translate.ServingTranslator;
import ai.djl.translate.TranslatorContext;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.OutputType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** For DJL Serving: what a client sends in, a PNG out, with its seed beside it. */
final class KolorsServingTranslator implements ServingTranslator {
  private RequestArguments defaults;

  KolorsServingTranslator(RequestArguments defaults) {
    this.defaults = defaults;
  }

  @Override
  public void setArguments(Map<String, ?> arguments) {
    defaults = new RequestArguments(arguments);
  }

  /** None: requests are made one by one. */
  @Override
  public @Nullable Batchifier getBatchifier() {
    return null;
  }

  @Override
  public NDList processInput(TranslatorContext ctx, Input input) {
    ImageRequest request = defaults.request(input);
    if (request.numImages() != 1 || request.outputType() != OutputType.IMAGE) {
      throw new IllegalArgumentException(
          "[djl] %s images of type %s: an answer has one picture, so ask for one."
              .formatted(request.numImages(), request.outputType()));
    }
    return KolorsTranslator.list(request);
  }

  @Override
  public Output processOutput(TranslatorContext ctx, NDList list) throws IOException {
    ImageResult result = KolorsTranslator.result(list);
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    KolorsTranslatorFactory.only(result).writeTo(png);
    Output output = new Output();
    output.addProperty("Content-Type", "image/png");
    output.addProperty("seed", Long.toUnsignedString(result.seeds().getFirst()));
    output.add(png.toByteArray());
    return output;
  }
}
