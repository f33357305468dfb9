package io.github.kolors4j.cli.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kolors4j.cli.synthetic.CheckpointConfig;
import io.github.kolors4j.estimate.NominalWork;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against figures that were counted by another program, on the real classes. */
class NominalWorkTest {
  private static final int TOKENS = 256;

  /** {@code encoder_hid_proj}, which that program leaves out and we count with the prompt. */
  private static final long TEXT_PROJECTION = TOKENS * 4096L * 2048;

  @ParameterizedTest
  @CsvSource({"1024, 3.479, 0.025", "512, 0.865, 0.101", "256, 0.277, 0.315"})
  void theUNetsWorkAndItsConstantShare(int size, double teraMacs, double constantShare)
      throws IOException {
    NominalWork work = NominalWork.unet(CheckpointConfig.full().unet(), size / 8, size / 8, TOKENS);
    double counted = work.perStep() + work.perPrompt() - TEXT_PROJECTION;
    assertEquals(teraMacs, counted / 1e12, 0.0005);
    assertEquals(constantShare, 1 - work.perStep() / counted, 0.0005);
  }

  @ParameterizedTest
  @CsvSource({"1024, 5.24", "512, 1.26"})
  void theDecodersWork(int size, double teraMacs) throws IOException {
    NominalWork work = NominalWork.vae(CheckpointConfig.full().vae(), size / 8, size / 8);
    assertEquals(teraMacs, work.flop() / 2e12, 0.005);
  }

  @ParameterizedTest
  @CsvSource("256, 1.48")
  void theTextEncodersWork(int tokens, double teraMacs) throws IOException {
    NominalWork work = NominalWork.text(CheckpointConfig.full().textEncoder(), tokens);
    assertEquals(teraMacs, work.flop() / 2e12, 0.005);
  }
}
