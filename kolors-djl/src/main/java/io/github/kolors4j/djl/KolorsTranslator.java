package io.github.kolors4j.djl;

import ai.djl.ndarray.NDList;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslatorContext;
import ai.djl.util.passthrough.PassthroughNDArray;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import java.util.function.Function;

/**
 * From a program's input to a request, and from its result to the program's output. One at a time:
 * a batch gains nothing on a CPU.
 */
record KolorsTranslator<I, O>(Function<I, ImageRequest> request, Function<ImageResult, O> output)
    implements NoBatchifyTranslator<I, O> {

  @Override
  public NDList processInput(TranslatorContext ctx, I input) {
    return list(request.apply(input));
  }

  @Override
  public O processOutput(TranslatorContext ctx, NDList list) {
    return output.apply(result(list));
  }

  /** As {@link KolorsPredictor} takes it. */
  static NDList list(ImageRequest request) {
    return new NDList(new PassthroughNDArray(request));
  }

  /** What {@link KolorsPredictor} gives. */
  static ImageResult result(NDList list) {
    return (ImageResult) ((PassthroughNDArray) list.singletonOrThrow()).getObject();
  }
}
