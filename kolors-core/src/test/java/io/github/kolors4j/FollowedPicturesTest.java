package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.image.Canny;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * How pictures look that follow an edge map, an image or a mask, with the mini checkpoint and the
 * trained models that come with it. The pictures are left in {@code target/followed}.
 */
class FollowedPicturesTest {
  private static final int SIZE = 64;
  private static final Path OUT = Path.of("target", "followed");

  private static KolorsPipeline pipeline;
  private static ControlNet canny;
  private static IpAdapter adapter;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.open(MiniCheckpoint.directory());
    canny = ControlNet.of(MiniCheckpoint.controlNet());
    adapter = IpAdapter.of(MiniCheckpoint.ipAdapter());
    Files.createDirectories(OUT);
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  private static ImageRequest request(String prompt, long seed) {
    return ImageRequest.builder(prompt).numInferenceSteps(12).seed(seed).build();
  }

  private static KolorsImage draw(ImageRequest request) {
    return pipeline.generate(request).image();
  }

  private static KolorsImage draw(String prompt) {
    return draw(request(prompt, 1));
  }

  private static void save(String name, KolorsImage... images) throws IOException {
    byte[] row = new byte[images.length * SIZE * SIZE * 3];
    for (int i = 0; i < images.length; i++) {
      byte[] rgb = images[i].rgb();
      for (int y = 0; y < SIZE; y++) {
        System.arraycopy(rgb, y * SIZE * 3, row, (y * images.length + i) * SIZE * 3, SIZE * 3);
      }
    }
    KolorsImage.of(images.length * SIZE, SIZE, row).save(OUT.resolve(name + ".png"));
  }

  // Edges

  /** A picture smaller, mirrored and in a corner of a white one: where no prompt would put it. */
  private static KolorsImage moved(KolorsImage picture) {
    int side = 42;
    byte[] small = picture.resize(side, side).rgb();
    byte[] rgb = new byte[SIZE * SIZE * 3];
    Arrays.fill(rgb, (byte) 255);
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < side; x++) {
        int from = (y * side + side - 1 - x) * 3;
        System.arraycopy(small, from, rgb, ((y + 3) * SIZE + x + 18) * 3, 3);
      }
    }
    return KolorsImage.of(SIZE, SIZE, rgb);
  }

  /** The share of one map's edges that the other has within a pixel, both ways: their F1. */
  private static double agreement(KolorsImage one, KolorsImage other) {
    double recall = found(one, other);
    double precision = found(other, one);
    return recall + precision == 0 ? 0 : 2 * recall * precision / (recall + precision);
  }

  private static double found(KolorsImage edges, KolorsImage in) {
    byte[] a = edges.rgb();
    byte[] b = in.rgb();
    int all = 0;
    int found = 0;
    for (int y = 0; y < SIZE; y++) {
      for (int x = 0; x < SIZE; x++) {
        if (a[(y * SIZE + x) * 3] != 0) {
          all++;
          boolean near = false;
          for (int v = Math.max(0, y - 1); v <= Math.min(SIZE - 1, y + 1); v++) {
            for (int u = Math.max(0, x - 1); u <= Math.min(SIZE - 1, x + 1); u++) {
              near |= b[(v * SIZE + u) * 3] != 0;
            }
          }
          found += near ? 1 : 0;
        }
      }
    }
    return all == 0 ? 0 : (double) found / all;
  }

  @Test
  void aPictureHasItsEdgesWhereTheMapHasThem() throws IOException {
    double sumLed = 0;
    double sumPlain = 0;
    List<String> things = List.of("fox", "house");
    for (String thing : things) {
      KolorsImage map = Canny.DEFAULT.edges(moved(draw("a " + thing + " on a white background")));
      ImageRequest plain = request("a " + thing + " on a blue background", 7);
      ImageRequest led = plain.toBuilder().controlNet(ControlNetInput.of(canny, map).at(1)).build();
      KolorsImage without = draw(plain);
      KolorsImage with = draw(led);
      double ofPlain = agreement(map, Canny.DEFAULT.edges(without));
      double ofLed = agreement(map, Canny.DEFAULT.edges(with));
      System.out.printf("%s: edges %.2f with the map, %.2f without%n", thing, ofLed, ofPlain);
      save("edges-" + thing, map, without, with, Canny.DEFAULT.edges(with));
      sumLed += ofLed;
      sumPlain += ofPlain;
    }
    double led = sumLed / things.size();
    double plain = sumPlain / things.size();
    assertTrue(led > 0.6 && led > plain + 0.25, led + " with the maps, " + plain + " without");
  }

  // Images

  private static double distance(KolorsImage a, KolorsImage b) {
    byte[] x = a.rgb();
    byte[] y = b.rgb();
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += Math.pow((x[i] & 255) - (y[i] & 255), 2);
    }
    return Math.sqrt(sum / x.length);
  }

  private static int nearest(KolorsImage picture, List<KolorsImage> to) {
    int nearest = 0;
    for (int i = 1; i < to.size(); i++) {
      if (distance(picture, to.get(i)) < distance(picture, to.get(nearest))) {
        nearest = i;
      }
    }
    return nearest;
  }

  private static final List<String> IMAGES =
      List.of(
          "a lemon on a purple background",
          "a whale on an orange background",
          "a panda on a red background");

  @Test
  void aPictureShowsWhatTheImageShowsWithoutAWordAboutIt() throws IOException {
    List<KolorsImage> images = IMAGES.stream().map(FollowedPicturesTest::draw).toList();
    KolorsImage without = draw(request("", 9));
    int right = 0;
    double nearer = 0;
    List<KolorsImage> row = new ArrayList<>(images);
    for (int i = 0; i < images.size(); i++) {
      KolorsImage image = images.get(i);
      KolorsImage with =
          draw(request("", 9).toBuilder().imagePrompt(ImagePrompt.of(adapter, image)).build());
      int nearest = nearest(with, images);
      System.out.printf(
          "%s: %.0f away with the image, %.0f without; nearest is %s%n",
          IMAGES.get(i), distance(with, image), distance(without, image), IMAGES.get(nearest));
      right += nearest == i ? 1 : 0;
      nearer += distance(with, image) / distance(without, image) / images.size();
      row.add(with);
    }
    save("images", row.toArray(KolorsImage[]::new));
    assertEquals(images.size(), right);
    assertTrue(nearer < 0.6, nearer + " of the distance without them");
  }

  // Masks

  private static KolorsImage disc(int radius) {
    byte[] rgb = new byte[SIZE * SIZE * 3];
    for (int i = 0; i < SIZE * SIZE; i++) {
      if (inDisc(i, radius)) {
        Arrays.fill(rgb, 3 * i, 3 * i + 3, (byte) 255);
      }
    }
    return KolorsImage.of(SIZE, SIZE, rgb);
  }

  private static boolean inDisc(int pixel, int radius) {
    return Math.hypot(pixel % SIZE - 31.5, pixel / SIZE - 31.5) < radius;
  }

  /** The same picture with the middle of another one. */
  private static KolorsImage inMiddle(KolorsImage picture, KolorsImage other, int radius) {
    byte[] rgb = picture.rgb();
    byte[] middle = other.rgb();
    for (int i = 0; i < SIZE * SIZE; i++) {
      if (inDisc(i, radius)) {
        System.arraycopy(middle, 3 * i, rgb, 3 * i, 3);
      }
    }
    return KolorsImage.of(SIZE, SIZE, rgb);
  }

  @Test
  void whatWasAskedForIsPaintedIntoTheMaskAndTheRestStays() throws IOException {
    int radius = 28;
    List<String> things = List.of("dog", "fox", "robot");
    List<KolorsImage> known =
        things.stream().map(thing -> draw("a " + thing + " on a green background")).toList();
    KolorsImage dog = known.getFirst();
    List<KolorsImage> row = new ArrayList<>(List.of(dog, disc(radius)));
    for (int i = 1; i < things.size(); i++) {
      ImageRequest request =
          request("a " + things.get(i) + " on a green background", 3).toBuilder()
              .image(dog)
              .mask(disc(radius))
              .build();
      KolorsImage painted = pipeline.generate(request).image();
      row.add(painted);
      save("masks", row.toArray(KolorsImage[]::new));
      int nearest = nearest(inMiddle(dog, painted, radius), known);
      double outside = distance(inMiddle(dog, painted, radius), painted);
      System.out.printf(
          "%s: outside of the mask %.1f away, inside nearest to the %s%n",
          things.get(i), outside, things.get(nearest));
      assertEquals(things.get(i), things.get(nearest));
      assertTrue(outside < 8, things.get(i) + ": " + outside + " levels away from the picture");
    }
    ImageRequest cropped =
        request("a fox on a green background", 3).toBuilder()
            .image(dog)
            .mask(disc(radius), 2)
            .build();
    assertArrayEquals(
        dog.rgb(),
        inMiddle(pipeline.generate(cropped).image(), dog, radius + 1).rgb(),
        "with an overlay, what the mask leaves is the picture's to the byte");
  }

  /** How far a ring of two pictures is apart, in levels of their mean colours. */
  private static double ringDistance(KolorsImage a, KolorsImage b, int inner, int outer) {
    double[] sums = new double[3];
    int count = 0;
    for (int i = 0; i < SIZE * SIZE; i++) {
      if (inDisc(i, outer) && !inDisc(i, inner)) {
        for (int c = 0; c < 3; c++) {
          sums[c] += (a.rgb()[3 * i + c] & 255) - (b.rgb()[3 * i + c] & 255);
        }
        count++;
      }
    }
    double squares = 0;
    for (double sum : sums) {
      squares += Math.pow(sum / count, 2);
    }
    return Math.sqrt(squares / 3);
  }

  /** No word says the background's colour: the picture around the mask does. */
  @Test
  void theUnetForMasksPaintsWhatGoesWithTheSurroundings() throws IOException {
    int radius = 29;
    List<String> colours = List.of("yellow", "purple", "blue", "red");
    List<KolorsImage> row = new ArrayList<>();
    double told = 0;
    double guessed = 0;
    try (KolorsPipeline painter =
        KolorsPipeline.builder(MiniCheckpoint.directory())
            .unet(MiniCheckpoint.inpaintingUnet())
            .open()) {
      for (String colour : colours) {
        KolorsImage dog = draw("a dog on a " + colour + " background");
        KolorsImage fox = draw("a fox on a " + colour + " background");
        ImageRequest request =
            request("a fox", 3).toBuilder().image(dog).mask(disc(radius)).build();
        KolorsImage painted = painter.generate(request).image();
        KolorsImage plain = draw(request);
        row.addAll(List.of(dog, plain, painted));
        save("surroundings", row.toArray(KolorsImage[]::new));
        double own = ringDistance(painted, fox, radius - 6, radius);
        double ofPlain = ringDistance(plain, fox, radius - 6, radius);
        double outside = distance(inMiddle(dog, painted, radius + 2), painted);
        System.out.printf(
            "%s: border %.0f levels off, %.0f with the usual U-Net; outside of the mask %.1f%n",
            colour, own, ofPlain, outside);
        told += own / colours.size();
        guessed += ofPlain / colours.size();
      }
    }
    System.out.printf("borders %.0f and %.0f levels off%n", told, guessed);
    assertTrue(told < 20 && told < guessed / 2, told + " levels off, " + guessed);
  }

  private static boolean inCorner(int pixel) {
    return pixel / SIZE >= SIZE / 2 && pixel % SIZE >= SIZE / 2;
  }

  /** A quarter of a thing is painted anew by words for another one: the rest of it stays. */
  @Test
  void theUnetForMasksKeepsWhatTheMaskLeavesWhateverTheWords() throws IOException {
    byte[] rgb = new byte[SIZE * SIZE * 3];
    for (int i = 0; i < SIZE * SIZE; i++) {
      Arrays.fill(rgb, 3 * i, 3 * i + 3, (byte) (inCorner(i) ? 255 : 0));
    }
    KolorsImage corner = KolorsImage.of(SIZE, SIZE, rgb);
    List<KolorsImage> row = new ArrayList<>();
    double worst = 0;
    try (KolorsPipeline painter =
        KolorsPipeline.builder(MiniCheckpoint.directory())
            .unet(MiniCheckpoint.inpaintingUnet())
            .open()) {
      for (String[] pair :
          new String[][] {{"dog", "fox"}, {"apple", "bear"}, {"fox", "star"}, {"bear", "owl"}}) {
        KolorsImage there = draw("a " + pair[0] + " on a green background");
        KolorsImage painted =
            painter
                .generate(request("a " + pair[1], 3).toBuilder().image(there).mask(corner).build())
                .image();
        row.addAll(List.of(there, painted));
        double changed = 0;
        for (int i = 0; i < SIZE * SIZE; i++) {
          for (int c = 0; c < 3 && !inCorner(i); c++) {
            changed += Math.abs((painted.rgb()[3 * i + c] & 255) - (there.rgb()[3 * i + c] & 255));
          }
        }
        changed /= SIZE * SIZE * 3 * 0.75;
        System.out.printf("%s, a corner by %s: %.1f levels off%n", pair[0], pair[1], changed);
        worst = Math.max(worst, changed);
      }
    }
    save("corner", row.toArray(KolorsImage[]::new));
    assertTrue(worst < 20, worst + " levels off where the mask leaves the picture");
  }
}
