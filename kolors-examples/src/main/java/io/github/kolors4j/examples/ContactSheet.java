package io.github.kolors4j.examples;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.SchedulerType;
import io.github.kolors4j.scheduler.Schedulers;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;

/** One prompt with one seed by all schedulers, on one sheet. */
public final class ContactSheet {
  private static final int COLUMNS = 6;
  private static final int CELL = 144;
  private static final int LABEL = 20;
  private static final int GAP = 8;
  private static final int STEPS = 25;

  private ContactSheet() {}

  /**
   * Draws a ladybug with each scheduler, made from the checkpoint's configuration, at 25 steps.
   *
   * @param args the file to write, then the checkpoint's folder; without them {@code
   *     schedulers.png} and the shipped mini checkpoint
   * @throws IOException if the checkpoint cannot be read or the sheet not be written
   */
  public static void main(String[] args) throws IOException {
    Path file = Path.of(args.length > 0 ? args[0] : "schedulers.png");
    Path model = args.length > 1 ? Path.of(args[1]) : MiniCheckpoint.directory();
    ImageRequest request =
        ImageRequest.builder("一只瓢虫,蓝色背景").numInferenceSteps(STEPS).seed(0).build();

    List<SchedulerType> types = Schedulers.all();
    int rows = Math.ceilDiv(types.size(), COLUMNS);
    BufferedImage sheet =
        new BufferedImage(
            COLUMNS * (CELL + GAP) + GAP,
            rows * (CELL + LABEL + GAP) + GAP,
            BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = sheet.createGraphics();
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
    graphics.setColor(Color.DARK_GRAY);

    try (KolorsPipeline pipeline = KolorsPipeline.open(model)) {
      for (int i = 0; i < types.size(); i++) {
        SchedulerType type = types.get(i);
        // As in the published checkpoint's configuration, which the mini one's leaves out.
        Map<String, Boolean> options =
            type.defaults().keys().contains("clip_sample")
                ? Map.of("clip_sample", false)
                : Map.of();
        Scheduler scheduler = type.fromConfig(pipeline.scheduler().config(), options);
        BufferedImage image =
            pipeline.withScheduler(scheduler).generate(request).image().toBufferedImage();
        int x = GAP + i % COLUMNS * (CELL + GAP);
        int y = GAP + i / COLUMNS * (CELL + LABEL + GAP);
        graphics.drawImage(image, x, y, CELL, CELL, null);
        graphics.drawString(type.shortNames().getFirst(), x, y + CELL + LABEL - 6);
      }
    }
    graphics.dispose();
    ImageIO.write(sheet, "png", file.toFile());
  }
}
