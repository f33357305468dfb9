package io.github.kolors4j.djl;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineProvider;

/**
 * How DJL finds the engine.
 *
 * <p>When its engines are loaded, DJL asks a network address whether it is in Amazon's cloud, and
 * if so tells Amazon that it was started. A library that works without a network must not wait for
 * that or tell anybody, so this class sets the system property {@code OPT_OUT_TRACKING}, DJL's own
 * switch, to {@code true} where nobody has set it. That holds for the other engines of the program
 * too; set it to {@code false} to have DJL's behaviour back.
 */
public final class KolorsEngineProvider implements EngineProvider {
  private static final String OPT_OUT = "OPT_OUT_TRACKING";

  static {
    if (System.getProperty(OPT_OUT) == null) {
      System.setProperty(OPT_OUT, "true");
    }
  }

  /** For the service loader. */
  public KolorsEngineProvider() {}

  @Override
  public String getEngineName() {
    return KolorsEngine.NAME;
  }

  @Override
  public int getEngineRank() {
    return KolorsEngine.RANK;
  }

  @Override
  public Engine getEngine() {
    return Holder.ENGINE;
  }

  /** Made when it is asked for: DJL's static state has to be complete before. */
  private static final class Holder {
    static final Engine ENGINE = new KolorsEngine();
  }
}
