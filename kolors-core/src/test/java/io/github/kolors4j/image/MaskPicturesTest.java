package io.github.kolors4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.checkpoint.Fixture;
import java.io.IOException;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Blurs, regions and edges against Pillow's, diffusers' and OpenCV's, byte for byte. */
class MaskPicturesTest {
  private static Fixture fixture;
  private static JsonArray cases;

  @BeforeAll
  static void open() throws IOException {
    fixture = Fixture.open("image/masks");
    cases = JsonParser.parseString(fixture.metadata("cases")).getAsJsonArray();
  }

  @AfterAll
  static void close() {
    fixture.close();
  }

  private static List<JsonObject> cases(String key) {
    return StreamSupport.stream(cases.spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .filter(each -> each.has(key))
        .toList();
  }

  private static KolorsImage picture(String tensor) {
    int[] dims = fixture.dims(tensor);
    return KolorsImage.of(dims[1], dims[0], fixture.bytes(tensor));
  }

  @Test
  void aBlurIsThatOfPillow() {
    for (JsonObject each : cases("blur")) {
      KolorsImage blurred =
          picture("input." + each.get("blur").getAsString())
              .gaussianBlur(each.get("radius").getAsDouble());
      assertEquals(picture(each.get("output").getAsString()), blurred, each.toString());
    }
    assertFalse(cases("blur").isEmpty());
    KolorsImage any = picture("input.noise");
    assertSame(any, any.gaussianBlur(0));
    assertThrows(IllegalArgumentException.class, () -> any.gaussianBlur(Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> any.gaussianBlur(-1));
  }

  @Test
  void edgesAreThoseOfOpenCv() {
    for (JsonObject each : cases("canny")) {
      Canny canny = new Canny(each.get("low").getAsInt(), each.get("high").getAsInt());
      byte[] edges = canny.edges(picture("input." + each.get("canny").getAsString())).rgb();
      byte[] expected = fixture.bytes(each.get("output").getAsString());
      byte[] threeTimes = new byte[edges.length];
      for (int i = 0; i < threeTimes.length; i++) {
        threeTimes[i] = expected[i / 3];
      }
      assertArrayEquals(threeTimes, edges, each.toString());
    }
    assertFalse(cases("canny").isEmpty());
    assertThrows(IllegalArgumentException.class, () -> new Canny(2, 1));
    assertThrows(IllegalArgumentException.class, () -> new Canny(-1, 1));
  }

  @Test
  void aRegionIsCutOutAndPutBackAsByDiffusers() {
    KolorsImage scene = picture("input.scene");
    KolorsImage painted = picture("input.painted");
    for (JsonObject each : cases("mask")) {
      KolorsImage mask = picture(each.get("mask").getAsString());
      int width = each.get("width").getAsInt();
      int height = each.get("height").getAsInt();
      CropRegion region = CropRegion.of(mask, width, height, each.get("padding").getAsInt());
      JsonArray expected = each.getAsJsonArray("region");
      assertEquals(
          new CropRegion(
              expected.get(0).getAsInt(),
              expected.get(1).getAsInt(),
              expected.get(2).getAsInt(),
              expected.get(3).getAsInt()),
          region,
          each.toString());
      assertEquals(
          picture(each.get("cut").getAsString()),
          region.cut(scene, width, height),
          each.toString());
      assertEquals(
          picture(each.get("pasted").getAsString()),
          region.paste(painted, scene, mask.gaussianBlur(2)),
          each.toString());
    }
    assertFalse(cases("mask").isEmpty());
  }

  @Test
  void aBlackMaskAndPicturesOfOtherSizesAreRefused() {
    KolorsImage black = KolorsImage.of(4, 4, new byte[48]);
    assertEquals(
        "[image] the mask is all black: nothing of it marks a region to crop. Paint"
            + " white into it, or blur it less.",
        assertThrows(IllegalArgumentException.class, () -> CropRegion.of(black, 8, 8, 1))
            .getMessage());
    CropRegion region = new CropRegion(0, 0, 5, 4);
    assertThrows(IllegalArgumentException.class, () -> region.cut(black, 8, 8));
    KolorsImage other = KolorsImage.of(4, 5, new byte[60]);
    assertThrows(IllegalArgumentException.class, () -> region.paste(black, black, other));
    assertThrows(IllegalArgumentException.class, () -> new CropRegion(3, 0, 3, 1));
  }
}
