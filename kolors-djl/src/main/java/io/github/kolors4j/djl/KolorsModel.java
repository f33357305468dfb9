package io.github.kolors4j.djl;

import ai.djl.BaseModel;
import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.Translator;
import ai.djl.util.PairList;
import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.service.ImageService;
import io.github.kolors4j.service.JobOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An open checkpoint. Any number of predictors in any number of threads share it; their requests
 * are computed one after another, in the order in which they came, as each of them uses all cores.
 *
 * <p>Closing it ends what waits, waits for what is being computed, and unmaps the weights. A
 * predictor that is used afterwards fails; closing a predictor does nothing.
 */
public final class KolorsModel extends BaseModel {
  private volatile @Nullable ImageService service;
  private volatile JobOptions jobOptions = JobOptions.DEFAULT;

  KolorsModel(String name, NDManager manager) {
    super(name);
    this.manager = manager;
    dataType = DataType.FLOAT32;
  }

  /**
   * Opens the checkpoint.
   *
   * @param modelPath its folder, in diffusers' layout
   * @param prefix not looked at
   * @param options {@code threads}, {@code variant}, {@code precision}, {@code scheduler}, {@code
   *     check_weights}, {@code text_encoder_on_demand} and {@code concurrency}, as text; those that
   *     DJL Serving has for every engine are passed over
   * @throws InvalidFileException if a file is missing or not what it should be
   * @throws IOException if a file cannot be read
   * @throws IllegalArgumentException if an option has a name that nobody knows, or an option or one
   *     of the model's properties has a value that it cannot have
   * @throws IllegalStateException if it was loaded before
   */
  @Override
  public synchronized void load(
      Path modelPath, @Nullable String prefix, @Nullable Map<String, ?> options)
      throws IOException {
    if (service != null) {
      throw new IllegalStateException("[djl] the model was loaded before: make another one.");
    }
    ModelOptions chosen = ModelOptions.of(options == null ? Map.of() : options);
    ImageRequest unprompted = new RequestArguments(getProperties()).request("");
    setModelDir(modelPath);
    KolorsPipeline pipeline = chosen.pipeline(modelDir).open();
    try {
      JobOptions job = chosen.jobOptions(pipeline.scheduler());
      job.scheduler()
          .map(pipeline::withScheduler)
          .orElse(pipeline)
          .check(unprompted, job.control());
      jobOptions = job;
      service =
          ImageService.builder(pipeline)
              .ownsPipeline()
              .concurrency(chosen.concurrency())
              .queueCapacity(Integer.MAX_VALUE) // each waiting request has a caller that waits
              .build();
    } catch (RuntimeException e) {
      pipeline.close();
      throw e;
    }
    wasLoaded = true;
  }

  /**
   * The pipeline, for what DJL has no words for.
   *
   * @return which the model closes
   * @throws IllegalStateException if the model is not loaded
   */
  public KolorsPipeline pipeline() {
    return service().pipeline();
  }

  private ImageService service() {
    ImageService loaded = service;
    if (loaded == null) {
      throw new IllegalStateException("[djl] the model is not loaded: call load first.");
    }
    return loaded;
  }

  ImageResult generate(ImageRequest request) {
    return service().generate(request, jobOptions);
  }

  @Override
  public <I, O> Predictor<I, O> newPredictor(Translator<I, O> translator, Device device) {
    return new KolorsPredictor<>(this, translator, manager.getDevice());
  }

  /** A prompt. */
  @Override
  public PairList<String, Shape> describeInput() {
    return new PairList<>(List.of("prompt"), List.of(new Shape()));
  }

  /** A picture: height, width and colours. */
  @Override
  public PairList<String, Shape> describeOutput() {
    return new PairList<>(List.of("image"), List.of(new Shape(-1, -1, 3)));
  }

  @Override
  public void close() {
    ImageService loaded = service;
    if (loaded != null) {
      loaded.close();
    }
  }

  /** The superclass would warn of each model that it was not closed, as its manager never is. */
  @SuppressWarnings({"Finalize", "deprecation", "removal"})
  @Override
  protected void finalize() {}
}
