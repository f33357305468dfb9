package io.github.kolors4j.djl;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.util.passthrough.PassthroughNDManager;
import io.github.kolors4j.metadata.EngineVersion;
import io.github.kolors4j.tensor.Products;
import org.jspecify.annotations.Nullable;

/**
 * The engine {@value #NAME}: opens Kolors checkpoints. It has no arrays for the code of others, and
 * computes on the CPU.
 */
public final class KolorsEngine extends Engine {
  /** What criteria and {@code serving.properties} call it. */
  public static final String NAME = "Kolors";

  /** Behind all engines that compute with arrays, so that it is never the default beside one. */
  static final int RANK = 99;

  KolorsEngine() {}

  @Override
  public @Nullable Engine getAlternativeEngine() {
    return null;
  }

  @Override
  public String getEngineName() {
    return NAME;
  }

  @Override
  public int getRank() {
    return RANK;
  }

  /** The version of kolors4j. */
  @Override
  public String getVersion() {
    return EngineVersion.current(Products.F32).library();
  }

  @Override
  public boolean hasCapability(String capability) {
    return false;
  }

  /**
   * A model that opens a checkpoint when it is loaded.
   *
   * @param name what it is called
   * @param device the CPU, or null
   * @return the model, to be loaded and closed
   * @throws IllegalArgumentException if the device is another one
   */
  @Override
  public Model newModel(String name, @Nullable Device device) {
    if (device != null && !device.equals(Device.cpu())) {
      throw new IllegalArgumentException(
          "[djl] device %s: Kolors computes on the CPU. Leave optDevice out.".formatted(device));
    }
    return new KolorsModel(name, newBaseManager());
  }

  @Override
  public NDManager newBaseManager() {
    return new PassthroughNDManager(this, Device.cpu());
  }

  @Override
  public NDManager newBaseManager(Device device) {
    return newBaseManager();
  }
}
