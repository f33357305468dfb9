package app;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.Response;
import io.github.kolors4j.langchain4j.KolorsImageModel;
import io.github.kolors4j.mini.MiniCheckpoint;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;

/** An application of LangChain4j that draws. */
public class Ladybug {
  public static void main(String[] args) throws Exception {
    try (KolorsImageModel kolors =
        KolorsImageModel.builder()
            .model(MiniCheckpoint.directory().toString())
            .numInferenceSteps(4)
            .guidanceScale(5.0)
            .seed(7L)
            .width(64)
            .height(64)
            .negativePrompt("")
            .build()) {
      ImageModel model = kolors;
      Response<Image> response = model.generate("一只瓢虫,蓝色背景");
      System.out.println("seed " + response.metadata().get("seed"));
      System.out.println("png " + hash(response.content()));
      Response<Image> edited = model.edit(response.content(), "一只瓢虫,红色背景");
      System.out.println("edited " + hash(edited.content()));
      Response<List<Image>> several = model.generate("一只瓢虫,蓝色背景", 2);
      System.out.println("several " + several.metadata().get("seeds"));
    }
    System.out.println(
        "core " + ImageModel.class.getProtectionDomain().getCodeSource().getLocation());
  }

  private static String hash(Image image) throws Exception {
    byte[] png = Base64.getDecoder().decode(image.base64Data());
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(png));
  }
}
