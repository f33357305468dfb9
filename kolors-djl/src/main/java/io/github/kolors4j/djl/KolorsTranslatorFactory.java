package io.github.kolors4j.djl;

import ai.djl.Model;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.cv.BufferedImageFactory;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Pair;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import java.lang.reflect.Type;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;

/**
 * What goes into a predictor and what comes out. In goes a prompt ({@code String}) with the model's
 * arguments, or an {@link ImageRequest}, which says everything itself. Out comes an {@link Image},
 * an {@code Image[]} where several are asked for, or an {@link ImageResult} with seeds and timings.
 * For servers {@link Input} goes in, and {@link Output} comes out with a PNG.
 *
 * <p>The arguments have the names and the defaults of diffusers: {@code num_inference_steps},
 * {@code guidance_scale}, {@code negative_prompt}, {@code seed}, {@code width}, {@code height} and
 * so on, all that {@link ImageRequest#toJson} writes and that are no files or arrays. Values are
 * numbers, flags, lists, or text.
 */
public final class KolorsTranslatorFactory implements TranslatorFactory {
  private static final Map<Class<?>, Function<ImageResult, Object>> OUTPUTS =
      Map.of(
          Image.class, result -> image(only(result)),
          Image[].class,
              result ->
                  result.images().stream()
                      .map(KolorsTranslatorFactory::image)
                      .toArray(Image[]::new),
          ImageResult.class, result -> result);

  private static final Set<Pair<Type, Type>> TYPES =
      Set.of(
          new Pair<>(String.class, Image.class),
          new Pair<>(String.class, Image[].class),
          new Pair<>(String.class, ImageResult.class),
          new Pair<>(ImageRequest.class, Image.class),
          new Pair<>(ImageRequest.class, Image[].class),
          new Pair<>(ImageRequest.class, ImageResult.class),
          new Pair<>(Input.class, Output.class));

  /** A factory, which has no state. */
  public KolorsTranslatorFactory() {}

  @Override
  public Set<Pair<Type, Type>> getSupportedTypes() {
    return TYPES;
  }

  /**
   * A translator for predictors of this engine.
   *
   * @param <I> what goes in
   * @param <O> what comes out
   * @param input its class
   * @param output its class
   * @param model not looked at
   * @param arguments of all pictures
   * @return the translator
   * @throws IllegalArgumentException if the classes are no pair that is supported, or an argument
   *     has a name that nobody knows or a value that it cannot have
   */
  @Override
  @SuppressWarnings("unchecked") // the classes have been compared
  public <I, O> Translator<I, O> newInstance(
      Class<I> input, Class<O> output, Model model, Map<String, ?> arguments) {
    if (!isSupported(input, output)) {
      throw new IllegalArgumentException(
          "[djl] no translator from %s to %s: there are %s."
              .formatted(input.getTypeName(), output.getTypeName(), TYPES));
    }
    RequestArguments.checkNames(arguments);
    RequestArguments defaults = new RequestArguments(arguments);
    defaults.request(""); // refuses what every call would fail with
    if (input == Input.class) {
      return (Translator<I, O>) new KolorsServingTranslator(defaults);
    }
    Function<I, ImageRequest> request =
        given -> given instanceof ImageRequest whole ? whole : defaults.request((String) given);
    return new KolorsTranslator<>(
        request,
        (Function<ImageResult, O>)
            (Function<ImageResult, ?>) Objects.requireNonNull(OUTPUTS.get(output)));
  }

  /** The picture of a result that has one. */
  static KolorsImage only(ImageResult result) {
    if (result.images().size() != 1) {
      throw new IllegalArgumentException(
          "[djl] %s pictures were made where one can be given: take the output type Image[] or ImageResult."
              .formatted(result.images().size()));
    }
    return result.image();
  }

  /** For whichever library DJL's pictures are of. */
  private static Image image(KolorsImage picture) {
    ImageFactory factory = ImageFactory.getInstance();
    if (factory instanceof BufferedImageFactory) {
      return factory.fromImage(picture.toBufferedImage());
    }
    byte[] rgb = picture.rgb();
    int[] argb = new int[rgb.length / 3];
    for (int i = 0; i < argb.length; i++) {
      argb[i] =
          0xff << 24
              | (rgb[3 * i] & 0xff) << 16
              | (rgb[3 * i + 1] & 0xff) << 8
              | (rgb[3 * i + 2] & 0xff);
    }
    return factory.fromPixels(argb, picture.width(), picture.height());
  }
}
