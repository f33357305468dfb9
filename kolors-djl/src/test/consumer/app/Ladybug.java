package app;

import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.util.ProgressBar;
import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HexFormat;

/** An application of DJL that draws: {@code Ladybug URL}. */
public class Ladybug {
  public static void main(String[] args) throws Exception {
    Criteria<String, Image> criteria =
        Criteria.builder()
            .setTypes(String.class, Image.class)
            .optModelUrls(args[0])
            .optArgument("num_inference_steps", 4)
            .optArgument("guidance_scale", 5.0)
            .optArgument("negative_prompt", "")
            .optArgument("seed", 7)
            .optArgument("width", 64)
            .optArgument("height", 64)
            .optProgress(new ProgressBar())
            .build();
    try (ZooModel<String, Image> model = criteria.loadModel();
        Predictor<String, Image> predictor = model.newPredictor()) {
      BufferedImage image = (BufferedImage) predictor.predict("一只瓢虫,蓝色背景").getWrappedImage();
      int[] rgb =
          image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
      ByteBuffer bytes = ByteBuffer.allocate(4 * rgb.length);
      bytes.asIntBuffer().put(rgb);
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes.array());
      System.out.println("pixels " + HexFormat.of().formatHex(hash));
      System.out.println("model " + model.getName());
    }
    System.out.println("module " + Ladybug.class.getModule());
  }
}
