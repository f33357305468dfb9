package io.github.kolors4j;

import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.UnfinishedRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.slf4j.LoggerFactory;

/** Programs for a JVM that has little of something: {@code CHECKPOINT PROGRAM}. */
final class SmallJvm {
  static final ImageRequest SMALL =
      ImageRequest.builder("一只瓢虫")
          .size(16, 24)
          .numInferenceSteps(1)
          .maxSequenceLength(8)
          .seed(5)
          .build();

  private static final ImageRequest LARGE = SMALL.toBuilder().size(96, 96).build();

  /** Less than one of those needs. */
  private static final int LEFT = 2 << 20;

  private static final int CALLERS = 3;

  /** A list that takes what is left of the heap. */
  private record Filling(Filling rest, byte[] bytes) {}

  private static Filling filling;

  private SmallJvm() {}

  public static void main(String[] args) throws Exception {
    Path checkpoint = Path.of(args[0]);
    switch (args[1]) {
      case "no-handles" -> noHandles(checkpoint);
      case "no-threads" -> noThreads(checkpoint);
      default -> {}
    }
    int threads = args[1].equals("no-handles") ? 64 : 2;
    try (KolorsPipeline pipeline = KolorsPipeline.builder(checkpoint).threads(threads).open()) {
      switch (args[1]) {
        case "full-heap" -> {
          fullHeap(pipeline);
          manyRequests(pipeline);
        }
        default -> {}
      }
      System.out.println("picture " + hash(pipeline.generate(SMALL).image()));
    }
  }

  static int hash(KolorsImage image) {
    return Arrays.hashCode(image.rgb());
  }

  /** Opens the checkpoint, and makes and writes a picture, while there is no handle for more. */
  private static void noHandles(Path checkpoint) throws Exception {
    LoggerFactory.getLogger(SmallJvm.class); // its jar is opened by the first use
    List<InputStream> taken = takeAllHandles(checkpoint);
    try (KolorsPipeline pipeline = KolorsPipeline.open(checkpoint)) {
      System.out.println("opened " + pipeline);
    } catch (IOException e) {
      System.out.println(e.getMessage());
    }
    closeAll(taken);
    try (KolorsPipeline pipeline = KolorsPipeline.open(checkpoint)) {
      awaitLoadAhead();
      List<InputStream> again = takeAllHandles(checkpoint);
      KolorsImage image = pipeline.generate(SMALL).image(); // what is mapped needs no handle
      ByteArrayOutputStream png = new ByteArrayOutputStream();
      image.writeTo(png);
      image.writeTo(OutputStream.nullOutputStream(), ImageFormat.JPEG, Map.of("a", "b"));
      closeAll(again);
      System.out.println("handles picture " + hash(image));
      KolorsImage written = KolorsImage.read(png.toByteArray(), "written", PictureLimits.DEFAULT);
      System.out.println("written picture " + hash(written));
    }
  }

  /** What opening loads for the end of requests is loaded beside them. */
  private static void awaitLoadAhead() throws InterruptedException {
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().equals("kolors4j-load-ahead")) {
        thread.join();
      }
    }
  }

  /**
   * All handles, and for a while those that come back: the JVM has one for moments, as when it asks
   * how much memory its container has.
   */
  private static List<InputStream> takeAllHandles(Path checkpoint) throws InterruptedException {
    List<InputStream> taken = new ArrayList<>();
    for (int refused = 0; refused < 20; ) {
      try {
        taken.add(Files.newInputStream(checkpoint.resolve("model_index.json")));
      } catch (IOException _) {
        refused++;
        Thread.sleep(5);
      }
    }
    return taken;
  }

  private static void closeAll(List<InputStream> streams) throws IOException {
    for (InputStream stream : streams) {
      stream.close();
    }
  }

  /** Asks for more threads than there is room for the stacks of. */
  private static void noThreads(Path checkpoint) throws IOException {
    int before = Thread.activeCount();
    try (KolorsPipeline pipeline = KolorsPipeline.builder(checkpoint).threads(64).open()) {
      System.out.println("opened " + pipeline);
    } catch (OutOfMemoryError e) {
      System.out.println(e.getMessage());
    }
    while (Thread.activeCount() > before) { // they end by themselves
      Thread.onSpinWait();
    }
  }

  /** A listener that leaves no room for one object when the first image is finished. */
  private static void fullHeap(KolorsPipeline pipeline) {
    RunControl control = RunControl.builder().onImage(_ -> fill(1)).build();
    try {
      pipeline.generate(SMALL.toBuilder().numImagesPerPrompt(3).build(), control);
      System.out.println("not full");
    } catch (OutOfMemoryError e) {
      filling = null;
      ImageResult finished = UnfinishedRequest.finishedBefore(e).orElseThrow();
      System.out.println("finished " + finished.count() + " " + hash(finished.image()));
      System.out.println(e.getMessage());
    }
  }

  private static void fill(int smallest) {
    for (int length = 1 << 20; length >= smallest; length /= 4) {
      try {
        while (true) {
          filling = new Filling(filling, new byte[length]);
        }
      } catch (OutOfMemoryError _) {
        // and now with less
      }
    }
  }

  /** Whoever finds no room, in whatever it does at that moment, must say so, and nothing else. */
  private static void manyRequests(KolorsPipeline pipeline) throws Exception {
    byte[] left = new byte[LEFT];
    fill(1 << 20);
    left = null;
    Object[] outcomes = new Object[CALLERS]; // nothing has to be made for one
    List<Thread> callers = new ArrayList<>();
    for (int i = 0; i < CALLERS; i++) {
      int own = i;
      callers.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      outcomes[own] = pipeline.generate(LARGE).image();
                    } catch (Throwable e) {
                      outcomes[own] = e;
                    }
                  }));
    }
    for (Thread caller : callers) {
      caller.join();
    }
    filling = null;
    for (Object outcome : outcomes) {
      System.out.println("outcome " + (outcome instanceof KolorsImage ? "picture" : outcome));
    }
  }
}
