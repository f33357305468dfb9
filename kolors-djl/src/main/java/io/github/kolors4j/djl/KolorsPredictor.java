package io.github.kolors4j.djl;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import ai.djl.util.passthrough.PassthroughNDArray;
import io.github.kolors4j.request.ImageRequest;

/**
 * Makes of the request that a translator gives the result that it takes. Both travel as DJL's
 * arrays that hold any object, so that DJL's own order of things holds, its metrics included.
 */
final class KolorsPredictor<I, O> extends Predictor<I, O> {
  private final KolorsModel kolors;

  KolorsPredictor(KolorsModel kolors, Translator<I, O> translator, Device device) {
    super(kolors, translator, device, false);
    this.kolors = kolors;
  }

  @Override
  protected NDList predictInternal(TranslatorContext ctx, NDList ndList) throws TranslateException {
    if (ndList.size() == 1
        && ndList.head() instanceof PassthroughNDArray array
        && array.getObject() instanceof ImageRequest request) {
      return new NDList(new PassthroughNDArray(kolors.generate(request)));
    }
    throw new TranslateException(
        "[djl] the translator gives no request: take those of KolorsTranslatorFactory, or give an"
            + " NDList of one PassthroughNDArray that holds an ImageRequest.");
  }
}
