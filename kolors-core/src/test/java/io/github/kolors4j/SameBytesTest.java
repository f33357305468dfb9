package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.OutputType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One hash for the whole pipeline. The build runs this class in a JVM for each vector width, for
 * the scalar kernels and for the tile of 16 registers, so the constant holds for all of them, and
 * on every machine. It changes only where the numbers are meant to change: then take the new one
 * from the failure, and say why in the commit.
 */
class SameBytesTest {
  private static final String LATENTS = "d1952f8dcfb3280c";
  private static final String PIXELS = "8d4e5dc6d7e3f861";

  /** Few steps of a small picture: a width that the CPU lacks is emulated, very slowly. */
  private static final ImageRequest REQUEST =
      ImageRequest.builder("一只瓢虫,蓝色背景").size(40, 24).numInferenceSteps(2).seed(3).build();

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void theWholePipelineGivesTheSameBytes(int threads) throws IOException {
    try (KolorsPipeline pipeline =
        KolorsPipeline.builder(PipelineFixture.CHECKPOINT).threads(threads).open()) {
      ImageResult latents =
          pipeline.generate(REQUEST.toBuilder().outputType(OutputType.LATENT).build());
      assertEquals(LATENTS, hash(bytes(latents.latents().orElseThrow().values())));
      KolorsImage image = pipeline.generate(REQUEST).image();
      assertEquals(PIXELS, hash(image.rgb()));
    }
  }

  private static byte[] bytes(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  private static String hash(byte[] bytes) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
