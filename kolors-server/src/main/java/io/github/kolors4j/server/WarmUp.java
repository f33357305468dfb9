package io.github.kolors4j.server;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.CancellationToken;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.RunControl;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A small picture that nobody has asked for, so that the first one that somebody does is as quick
 * as the others: the weights come from the disk and the kernels from the compiler. It gives way to
 * the first request.
 */
final class WarmUp implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);

  /** A side, in pixels: enough for every kernel, seconds where a whole picture takes minutes. */
  private static final int MOST_PIXELS = 256;

  private static final int STEPS = 4;
  private static final int RGB = 3;

  private final CancellationToken token = new CancellationToken();
  private volatile boolean running;

  /** Begins, on a thread of its own. */
  void begin(KolorsPipeline pipeline) {
    running = true;
    Thread.ofPlatform().daemon().name("kolors-warm-up").start(() -> run(pipeline));
  }

  private void run(KolorsPipeline pipeline) {
    long begin = System.nanoTime();
    try {
      pipeline.generate(request(pipeline), RunControl.cancelledBy(token));
      LOG.info("warm after {} ms", (System.nanoTime() - begin) / 1_000_000);
    } catch (IllegalStateException e) {
      LOG.debug("no longer warming up", e); // a request, or the end
    } catch (RuntimeException | OutOfMemoryError e) {
      LOG.warn("the first small picture failed: {}", e.getMessage());
    } finally {
      running = false;
    }
  }

  /** Its request: with a picture and a mask for a U-Net that paints into one. */
  static ImageRequest request(KolorsPipeline pipeline) {
    int side = Math.min(pipeline.defaultSize(), MOST_PIXELS);
    ImageRequest.Builder request =
        ImageRequest.builder("a").size(side, side).numInferenceSteps(STEPS).seed(0);
    if (pipeline.unet().config().inChannels() != pipeline.vae().config().latentChannels()) {
      byte[] white = new byte[side * side * RGB];
      Arrays.fill(white, (byte) 255);
      KolorsImage all = KolorsImage.of(side, side, white);
      request.image(all).mask(all);
    }
    return request.build();
  }

  boolean isRunning() {
    return running;
  }

  /** Ends it within half a second. */
  @Override
  public void close() {
    token.cancel();
  }
}
